"""Makes eval sets for `frond llm eval` of what lies inside the lm_eval wheel.

    lm_eval_items.py WHEEL PROMPTS OUT

The wheel holds no data sets, only where to fetch them; but it holds worked examples with their answers, which prompts show before a question: eight of GSM8K (arithmetic in words), and five of each subject
of MMLU. Those are the items here: eight sums, and five questions of each of five medical subjects. So few say little, and a model may have seen them: `llm eval` prints the interval.
Writes OUT/gsm8k_cot.json and OUT/mmlu_medical.json: the tasks PROMPTS/reason.json and PROMPTS/choice.json with other eval sets.
"""
import json
import pathlib
import re
import sys
import zipfile

import yaml

MEDICAL = ["anatomy", "clinical_knowledge", "college_medicine", "medical_genetics", "professional_medicine"]


class Plain(yaml.SafeLoader):
    """Task files name functions of lm_eval with tags of their own: none is run, they are None here."""


Plain.add_multi_constructor("!", lambda loader, suffix, node: None)


def samples(wheel, name):
    return yaml.load(wheel.read(name), Plain)["fewshot_config"]["samples"]


def sums(wheel):
    for sample in samples(wheel, "lm_eval/tasks/gsm8k/gsm8k-cot.yaml"):
        answer = re.search(r"The answer is \$?([-\d.,]+?)\.?$", sample["target"].strip())
        yield {"vars": {"question": sample["question"]}, "want": answer.group(1)}


def choices(wheel):
    for subject in MEDICAL:
        for no, sample in enumerate(samples(wheel, f"lm_eval/tasks/mmlu/flan_cot_fewshot/mmlu_{subject}.yaml")):
            answer = re.search(r"The answer is \(([A-D])\)", sample["target"])
            question, listed = re.match(r"(?s)(.*?)\n\s*(\(A\).*)$", sample["question"].strip()).groups()
            lettered = re.sub(r"\s*\(([A-D])\)\s*", r"\n\1. ", listed).strip()
            yield {"id": f"{subject}:{no}", "vars": {"question": question.strip(), "choices": lettered}, "want": answer.group(1)}


def main(wheel_path, prompts, out):
    wheel = zipfile.ZipFile(wheel_path)
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for name, of, score, items in (("gsm8k_cot", "reason", "numeric", list(sums(wheel))), ("mmlu_medical", "choice", "choice", list(choices(wheel)))):
        task = json.loads((pathlib.Path(prompts) / f"{of}.json").read_text())
        task["name"] = name
        task["eval"] = {"score": score, "field": "answer", "source": pathlib.Path(wheel_path).name, "items": items}
        (out / f"{name}.json").write_text(json.dumps(task, ensure_ascii=False, indent=1))
        print(f"{name}: {len(items)} items")


if __name__ == "__main__":
    main(*sys.argv[1:])
