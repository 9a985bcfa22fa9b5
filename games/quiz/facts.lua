-- facts.lua — what the game knows for certain, in English and Korean. A question about the world is asked only when this table can say which answer is right.
--
-- A relation gives each subject one value; values of one relation are all different, so a wrong answer is never right as well. An order gives each of its
-- things a number, all different. Numbers are rounded from published figures and so far apart that rounding decides nothing.
local facts = {}

local function named(rows)                    -- { {id, English, Korean}, .. } by id
  local names = {}
  for _, row in ipairs(rows) do names[row[1]] = { en = row[2], ko = row[3] } end
  return names
end

-- Each relation: topic, names of its subjects and of its values, and `value[subject]`.
local function relation(topic, rows)
  local subjects, values, value = {}, {}, {}
  for i, row in ipairs(rows) do
    subjects[i], values[i] = { row[1], row[1], row[2] }, { row[3], row[3], row[4] }
    value[row[1]] = row[3]
  end
  return { topic = topic, subjects = named(subjects), values = named(values), value = value }
end

facts.relations = {
  capital = relation("world", {
    { "France", "프랑스", "Paris", "파리" }, { "Japan", "일본", "Tokyo", "도쿄" }, { "South Korea", "대한민국", "Seoul", "서울" }, { "Italy", "이탈리아", "Rome", "로마" },
    { "Spain", "스페인", "Madrid", "마드리드" }, { "Germany", "독일", "Berlin", "베를린" }, { "Portugal", "포르투갈", "Lisbon", "리스본" }, { "Austria", "오스트리아", "Vienna", "빈" },
    { "Greece", "그리스", "Athens", "아테네" }, { "Norway", "노르웨이", "Oslo", "오슬로" }, { "Sweden", "스웨덴", "Stockholm", "스톡홀름" }, { "Finland", "핀란드", "Helsinki", "헬싱키" },
    { "Denmark", "덴마크", "Copenhagen", "코펜하겐" }, { "Ireland", "아일랜드", "Dublin", "더블린" }, { "Iceland", "아이슬란드", "Reykjavik", "레이캬비크" }, { "Poland", "폴란드", "Warsaw", "바르샤바" },
    { "Hungary", "헝가리", "Budapest", "부다페스트" }, { "Egypt", "이집트", "Cairo", "카이로" }, { "Kenya", "케냐", "Nairobi", "나이로비" }, { "Canada", "캐나다", "Ottawa", "오타와" },
    { "Brazil", "브라질", "Brasilia", "브라질리아" }, { "Peru", "페루", "Lima", "리마" }, { "Argentina", "아르헨티나", "Buenos Aires", "부에노스아이레스" }, { "Australia", "호주", "Canberra", "캔버라" },
    { "New Zealand", "뉴질랜드", "Wellington", "웰링턴" }, { "China", "중국", "Beijing", "베이징" }, { "Thailand", "태국", "Bangkok", "방콕" }, { "Vietnam", "베트남", "Hanoi", "하노이" },
    { "Mongolia", "몽골", "Ulaanbaatar", "울란바토르" }, { "Cuba", "쿠바", "Havana", "아바나" },
  }),
  symbol = relation("science", {
    { "hydrogen", "수소", "H", "H" }, { "helium", "헬륨", "He", "He" }, { "carbon", "탄소", "C", "C" }, { "nitrogen", "질소", "N", "N" }, { "oxygen", "산소", "O", "O" },
    { "sodium", "나트륨", "Na", "Na" }, { "potassium", "칼륨", "K", "K" }, { "calcium", "칼슘", "Ca", "Ca" }, { "iron", "철", "Fe", "Fe" }, { "copper", "구리", "Cu", "Cu" },
    { "silver", "은", "Ag", "Ag" }, { "gold", "금", "Au", "Au" }, { "tin", "주석", "Sn", "Sn" }, { "lead", "납", "Pb", "Pb" }, { "mercury", "수은", "Hg", "Hg" }, { "tungsten", "텅스텐", "W", "W" },
    { "zinc", "아연", "Zn", "Zn" }, { "neon", "네온", "Ne", "Ne" }, { "silicon", "규소", "Si", "Si" }, { "sulfur", "황", "S", "S" },
  }),
}

-- Each order: topic, names, and `number[thing]`.
local function order(topic, rows)
  local number = {}
  for _, row in ipairs(rows) do number[row[1]] = row[3] end
  local names = {}
  for i, row in ipairs(rows) do names[i] = { row[1], row[1], row[2] } end
  return { topic = topic, names = named(names), number = number }
end

facts.orders = {
  planet = order("science", {                 -- diameter, km
    { "Mercury", "수성", 4879 }, { "Mars", "화성", 6779 }, { "Venus", "금성", 12104 }, { "Earth", "지구", 12742 }, { "Neptune", "해왕성", 49244 }, { "Uranus", "천왕성", 50724 },
    { "Saturn", "토성", 116460 }, { "Jupiter", "목성", 139820 },
  }),
  mountain = order("world", {                 -- height, m
    { "Hallasan", "한라산", 1947 }, { "Mount Fuji", "후지산", 3776 }, { "Mont Blanc", "몽블랑", 4806 }, { "Kilimanjaro", "킬리만자로", 5895 }, { "Denali", "디날리", 6190 },
    { "Aconcagua", "아콩카과", 6961 }, { "K2", "K2", 8611 }, { "Mount Everest", "에베레스트", 8849 },
  }),
  century = order("world", {                  -- when it was first done, year
    { "printing with movable type in Europe", "유럽의 금속활자 인쇄", 1450 }, { "the steam engine of Watt", "와트의 증기기관", 1769 }, { "the first photograph", "최초의 사진", 1826 },
    { "the telephone of Bell", "벨의 전화기", 1876 }, { "the first powered flight", "최초의 동력 비행", 1903 }, { "the first Moon landing", "최초의 달 착륙", 1969 }, { "the World Wide Web", "월드 와이드 웹", 1989 },
  }),
}

--- The names of a list of things, sorted, for a schema's `enum`.
function facts.sorted(names)
  local list = {}
  for id in pairs(names) do list[#list + 1] = id end
  table.sort(list)
  return list
end

return facts
