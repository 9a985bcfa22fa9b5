-- packaged.lua — the questions that come with the game, for when there is no model, it is late, or what it wrote did not pass. The first answer is right;
-- the match shuffles them. { id, topic, English {question, right, wrong, wrong, wrong}, Korean likewise }.
local rows <const> = {
  -- numbers
  { "n01", "numbers", { "How many minutes are there in two and a half hours?", "150", "120", "180", "210" }, { "두 시간 반은 몇 분일까요?", "150", "120", "180", "210" } },
  { "n02", "numbers", { "What is a quarter of 100?", "25", "20", "40", "50" }, { "100의 4분의 1은 얼마일까요?", "25", "20", "40", "50" } },
  { "n03", "numbers", { "How many sides does a hexagon have?", "6", "5", "7", "8" }, { "육각형의 변은 몇 개일까요?", "6", "5", "7", "8" } },
  { "n04", "numbers", { "Which of these is a prime number?", "17", "15", "21", "27" }, { "다음 중 소수는 무엇일까요?", "17", "15", "21", "27" } },
  { "n05", "numbers", { "What is the square of 12?", "144", "124", "132", "154" }, { "12의 제곱은 얼마일까요?", "144", "124", "132", "154" } },
  { "n06", "numbers", { "How many dots are on all six faces of a die together?", "21", "18", "20", "24" }, { "주사위 여섯 면의 눈을 모두 더하면 얼마일까요?", "21", "18", "20", "24" } },
  { "n07", "numbers", { "What is 15% of 200?", "30", "15", "25", "35" }, { "200의 15%는 얼마일까요?", "30", "15", "25", "35" } },
  { "n08", "numbers", { "How many degrees do the angles of a triangle add up to?", "180", "90", "270", "360" }, { "삼각형 세 각의 합은 몇 도일까요?", "180", "90", "270", "360" } },
  { "n09", "numbers", { "How is 9 written in binary?", "1001", "1010", "1100", "111" }, { "9를 이진수로 쓰면 무엇일까요?", "1001", "1010", "1100", "111" } },
  { "n10", "numbers", { "How many seconds are there in an hour?", "3600", "360", "1440", "6000" }, { "한 시간은 몇 초일까요?", "3600", "360", "1440", "6000" } },
  { "n11", "numbers", { "Which fraction is the largest?", "3/4", "2/3", "3/5", "1/2" }, { "다음 분수 중 가장 큰 것은 무엇일까요?", "3/4", "2/3", "3/5", "1/2" } },
  { "n12", "numbers", { "Which number does the Roman numeral XL stand for?", "40", "60", "90", "110" }, { "로마 숫자 XL은 어떤 수일까요?", "40", "60", "90", "110" } },
  -- words
  { "w01", "words", { "Which word means the opposite of “ancient”?", "modern", "antique", "huge", "distant" }, { "‘고대’의 반대말은 무엇일까요?", "현대", "유물", "왕국", "역사" } },
  { "w02", "words", { "How many vowels (a, e, i, o, u) are in “education”?", "5", "3", "4", "6" }, { "영어 낱말 “education”에 모음(a, e, i, o, u)은 몇 개일까요?", "5", "3", "4", "6" } },
  { "w03", "words", { "Which of these reads the same backwards?", "level", "lever", "label", "rebel" }, { "다음 중 거꾸로 읽어도 같은 말은 무엇일까요?", "기러기", "기차역", "토마스", "오징어" } },
  { "w04", "words", { "In which language does “gracias” mean “thank you”?", "Spanish", "Italian", "German", "Swedish" }, { "“그라시아스(gracias)”는 어느 나라 말로 ‘고맙습니다’일까요?", "스페인어", "이탈리아어", "독일어", "스웨덴어" } },
  { "w05", "words", { "What is a young kangaroo called?", "a joey", "a cub", "a calf", "a kid" }, { "소의 새끼를 뭐라고 부를까요?", "송아지", "망아지", "강아지", "병아리" } },
  { "w06", "words", { "How many letters does the English alphabet have?", "26", "24", "25", "28" }, { "영어 알파벳은 모두 몇 글자일까요?", "26", "24", "25", "28" } },
  { "w07", "words", { "How many basic consonant letters does the Korean alphabet have?", "14", "10", "19", "24" }, { "한글의 기본 자음은 몇 개일까요?", "14", "10", "19", "24" } },
  { "w08", "words", { "Who wrote “Romeo and Juliet”?", "William Shakespeare", "Charles Dickens", "Jane Austen", "Leo Tolstoy" }, { "〈로미오와 줄리엣〉을 쓴 사람은 누구일까요?", "윌리엄 셰익스피어", "찰스 디킨스", "제인 오스틴", "레프 톨스토이" } },
  { "w09", "words", { "What does a cartographer make?", "maps", "cards", "carts", "clocks" }, { "지도를 만드는 사람을 뭐라고 할까요?", "지도 제작자", "측량 기사", "항해사", "기록관" } },
  { "w10", "words", { "Which of these words is spelled correctly?", "necessary", "neccessary", "necesary", "neccesary" }, { "다음 중 맞춤법이 맞는 것은 무엇일까요?", "며칠", "몇일", "몇 일", "며칟" } },
  { "w11", "words", { "Which word is a verb?", "to gather", "gently", "garden", "golden" }, { "다음 중 동사는 무엇일까요?", "달리다", "예쁘다", "빨리", "나무" } },
  { "w12", "words", { "“Break the ice” means…", "start a friendly talk", "make a drink cold", "end a friendship", "walk carefully" }, { "‘발이 넓다’는 무슨 뜻일까요?", "아는 사람이 많다", "걸음이 빠르다", "신발이 크다", "땅이 많다" } },
  -- world
  { "g01", "world", { "Which ocean is the largest?", "the Pacific", "the Atlantic", "the Indian Ocean", "the Arctic Ocean" }, { "가장 넓은 바다는 무엇일까요?", "태평양", "대서양", "인도양", "북극해" } },
  { "g02", "world", { "On which continent is the Sahara?", "Africa", "Asia", "Australia", "South America" }, { "사하라 사막은 어느 대륙에 있을까요?", "아프리카", "아시아", "오세아니아", "남아메리카" } },
  { "g03", "world", { "Which country has the city of Barcelona?", "Spain", "Portugal", "Italy", "Mexico" }, { "바르셀로나는 어느 나라에 있을까요?", "스페인", "포르투갈", "이탈리아", "멕시코" } },
  { "g04", "world", { "Which country gave the Statue of Liberty to the United States?", "France", "England", "Spain", "Canada" }, { "자유의 여신상을 미국에 선물한 나라는 어디일까요?", "프랑스", "영국", "스페인", "캐나다" } },
  { "g05", "world", { "In which year did people first walk on the Moon?", "1969", "1959", "1972", "1981" }, { "사람이 처음 달에 발을 디딘 해는 언제일까요?", "1969년", "1959년", "1972년", "1981년" } },
  { "g06", "world", { "Which river flows through Seoul?", "the Han", "the Nakdong", "the Yalu", "the Mekong" }, { "서울을 가로질러 흐르는 강은 무엇일까요?", "한강", "낙동강", "압록강", "메콩강" } },
  { "g07", "world", { "Who had the Korean alphabet made?", "King Sejong", "King Taejo", "Yi Sun-sin", "King Gwanggaeto" }, { "훈민정음을 만든 임금은 누구일까요?", "세종", "태조", "영조", "광개토대왕" } },
  { "g08", "world", { "Which of these countries is an island?", "Iceland", "Norway", "Denmark", "Finland" }, { "다음 중 섬나라는 어디일까요?", "아이슬란드", "노르웨이", "덴마크", "핀란드" } },
  { "g09", "world", { "How many stars are on the flag of the European Union?", "12", "10", "15", "27" }, { "유럽연합 깃발에는 별이 몇 개 있을까요?", "12개", "10개", "15개", "27개" } },
  { "g10", "world", { "How often are the Summer Olympics usually held?", "every 4 years", "every 2 years", "every 3 years", "every 5 years" }, { "하계 올림픽은 보통 몇 년마다 열릴까요?", "4년", "2년", "3년", "5년" } },
  { "g11", "world", { "In which country is Machu Picchu?", "Peru", "Chile", "Bolivia", "Mexico" }, { "마추픽추는 어느 나라에 있을까요?", "페루", "칠레", "볼리비아", "멕시코" } },
  { "g12", "world", { "Which city is built on canals and has gondolas?", "Venice", "Naples", "Florence", "Milan" }, { "곤돌라가 다니는 물의 도시는 어디일까요?", "베네치아", "나폴리", "피렌체", "밀라노" } },
  -- science
  { "s01", "science", { "Which planet is closest to the Sun?", "Mercury", "Venus", "Mars", "Earth" }, { "태양에 가장 가까운 행성은 무엇일까요?", "수성", "금성", "화성", "지구" } },
  { "s02", "science", { "What gas do plants take in to make sugar?", "carbon dioxide", "oxygen", "nitrogen", "helium" }, { "식물이 양분을 만들 때 빨아들이는 기체는 무엇일까요?", "이산화탄소", "산소", "질소", "헬륨" } },
  { "s03", "science", { "At how many degrees Celsius does water boil at sea level?", "100", "90", "120", "212" }, { "해수면 높이에서 물은 섭씨 몇 도에 끓을까요?", "100도", "90도", "120도", "212도" } },
  { "s04", "science", { "How many legs does a spider have?", "8", "6", "10", "12" }, { "거미의 다리는 몇 개일까요?", "8개", "6개", "10개", "12개" } },
  { "s05", "science", { "Which organ pumps blood through the body?", "the heart", "the liver", "the lungs", "the kidneys" }, { "피를 온몸으로 보내는 기관은 무엇일까요?", "심장", "간", "폐", "콩팥" } },
  { "s06", "science", { "Which of these travels fastest?", "light", "sound", "a rocket", "a bullet" }, { "다음 중 가장 빠른 것은 무엇일까요?", "빛", "소리", "로켓", "총알" } },
  { "s07", "science", { "Which of these animals is a mammal?", "a dolphin", "a shark", "a penguin", "a frog" }, { "다음 중 젖먹이 동물은 무엇일까요?", "돌고래", "상어", "펭귄", "개구리" } },
  { "s08", "science", { "What is the hardest natural material of these?", "diamond", "gold", "quartz", "marble" }, { "다음 중 가장 단단한 것은 무엇일까요?", "다이아몬드", "금", "석영", "대리석" } },
  { "s09", "science", { "Which unit measures electric resistance?", "ohm", "volt", "watt", "ampere" }, { "전기 저항의 단위는 무엇일까요?", "옴", "볼트", "와트", "암페어" } },
  { "s10", "science", { "How long does the Earth take to go around the Sun?", "about 365 days", "about 30 days", "about 24 hours", "about 12 years" }, { "지구가 태양을 한 바퀴 도는 데 얼마나 걸릴까요?", "약 365일", "약 30일", "약 24시간", "약 12년" } },
  { "s11", "science", { "Which bone protects the brain?", "the skull", "the spine", "the ribs", "the pelvis" }, { "뇌를 보호하는 뼈는 무엇일까요?", "머리뼈", "등뼈", "갈비뼈", "골반" } },
  { "s12", "science", { "What do bees collect from flowers to make honey?", "nectar", "seeds", "resin", "sap" }, { "벌은 꽃에서 무엇을 모아 꿀을 만들까요?", "꽃꿀", "씨앗", "송진", "수액" } },
}

local packaged = { list = {}, by_id = {} }

local function spoken(row)
  return { text = row[1], options = { row[2], row[3], row[4], row[5] } }
end
for i, row in ipairs(rows) do
  local question = { id = row[1], topic = row[2], en = spoken(row[3]), ko = spoken(row[4]) }
  packaged.list[i], packaged.by_id[question.id] = question, question
end

return packaged
