// answers.mjs: what the scripted model says: the same to the same question, and nothing that needs a model.
import { createHash } from "node:crypto";

/** Words with the space before them, so that joined they are the text again. */
export const tokensOf = (text) => text.match(/\s*\S+|\s+$/g) ?? [];

const partsText = (content) => (typeof content === "string" ? content : Array.isArray(content) ? content.map((part) => part?.text ?? `<${part?.type}>`).join("") : "");

/** The last thing that a person said. */
export function questionOf(path, ask) {
  if (path === "/embeddings") return [ask?.input].flat().join("\n");
  if (path === "/completions") return [ask?.prompt].flat().join("\n");
  const messages = Array.isArray(ask?.messages) ? ask.messages : [];
  return partsText((messages.findLast?.((m) => m?.role === "user" || m?.role === "tool") ?? messages.at(-1))?.content);
}

function promptTokens(path, ask) {
  if (path !== "/chat/completions") return tokensOf(questionOf(path, ask)).length;
  return ask.messages.reduce((sum, message) => sum + 4 + tokensOf(partsText(message?.content)).length, 3);
}

/** What an answer has in it: choices of tokens, or of tools that are called, and how much was used. */
export function answerTo(path, ask, how, told) {
  const n = Math.max(1, Math.min(Number(ask.n ?? 1), 128)), most = ask.max_completion_tokens ?? ask.max_tokens ?? Infinity;
  const choices = Array.from({ length: n }, (_, index) => choiceOf(path, ask, how, told ?? how.text, index, most));
  const prompt_tokens = promptTokens(path, ask), completion_tokens = choices.reduce((sum, choice) => sum + choice.tokens.length, 0);
  return { choices, usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens } };
}

function choiceOf(path, ask, how, told, index, most) {
  const last = Array.isArray(ask.messages) ? ask.messages.at(-1) : null;
  const format = ask.response_format;
  const called = how.tools ?? (ask.tool_choice === "required" || ask.tool_choice?.function ? [callOf(ask)] : null);
  if (called && (last?.role !== "tool" || how.again)) {
    const tools = called.map(({ name, arguments: args }, at) => ({ id: `call_${index}_${at}_${createHash("sha256").update(JSON.stringify(args)).digest("hex").slice(0, 12)}`, type: "function", function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args) } }));
    return { tokens: tools.map(() => "x"), tools, finish: how.finish ?? "tool_calls" };
  }
  let text = told ?? (format?.type === "json_schema" ? JSON.stringify(fromSchema(format.json_schema?.schema ?? {}))
    : format?.type === "json_object" ? JSON.stringify({ echo: questionOf(path, ask) }) : `echo: ${questionOf(path, ask)}${index ? ` #${index}` : ""}`);
  const stop = [ask.stop ?? []].flat().map((one) => text.indexOf(one)).filter((at) => at >= 0);
  if (stop.length) text = text.slice(0, Math.min(...stop));
  const tokens = tokensOf(text);
  return tokens.length > most ? { tokens: tokens.slice(0, most), finish: how.finish ?? "length" } : { tokens, finish: how.finish ?? "stop" };
}

function callOf(ask) {
  const tool = ask.tools?.find((one) => !ask.tool_choice?.function || one.function.name === ask.tool_choice.function.name) ?? ask.tools?.[0];
  return { name: tool?.function?.name ?? "none", arguments: fromSchema(tool?.function?.parameters ?? {}) };
}

/** The smallest plain value that fits a JSON Schema. */
export function fromSchema(schema, root = schema) {
  if (schema === true || schema === undefined) return null;
  if (schema.$ref) return fromSchema(schema.$ref.replace(/^#\//, "").split("/").reduce((at, key) => at?.[key], root) ?? {}, root);
  if ("const" in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  for (const key of ["anyOf", "oneOf", "allOf"]) if (schema[key]) return fromSchema({ ...schema, [key]: undefined, ...schema[key][0] }, root);
  switch ([schema.type].flat()[0] ?? (schema.properties ? "object" : "null")) {
    case "object": return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([key, value]) => [key, fromSchema(value, root)]));
    case "array": return Array.from({ length: schema.minItems ?? (schema.prefixItems?.length || 1) }, (_, i) => fromSchema(schema.prefixItems?.[i] ?? schema.items ?? {}, root));
    case "string": return "text".padEnd(schema.minLength ?? 4, ".").slice(0, schema.maxLength ?? Infinity);
    case "integer": case "number": return schema.minimum ?? (schema.maximum < 0 ? schema.maximum : 1);
    case "boolean": return true;
    default: return null;
  }
}

/** A direction of length 1 that the text alone decides; texts with words in common point the same way somewhat. */
export function embed(text, width) {
  const sum = new Array(width).fill(0);
  for (const word of tokensOf(text.toLowerCase()).map((one) => one.trim())) {
    const hash = createHash("shake256", { outputLength: width * 2 }).update(word).digest();
    for (let i = 0; i < width; i++) sum[i] += hash.readInt16LE(2 * i) / 32768;
  }
  const length = Math.hypot(...sum) || 1;
  return sum.map((x) => x / length);
}

/** The truth, or a lie about it; undefined: nothing is said. */
export function usageOf(usage, lie) {
  const all = (value) => Object.fromEntries(Object.keys(usage).map((key) => [key, value]));
  switch (lie) {
    case undefined: return usage;
    case "huge": return all(9007199254740991);
    case "negative": return all(-1000000);
    case "text": return all("1000000");
    case "fraction": return all(0.5);
    case "null": return null;
    case "less": return all(0);
    case "none": return undefined;
    default: return { [lie]: true };
  }
}
