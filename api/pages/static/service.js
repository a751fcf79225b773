// Calls the service: JSON, or an answer event by event. Whatever fails comes out as a `ServiceError`.

import { currentKey, keyOtherThan } from "./access.js";
import { readEvents } from "./sse.js";

const root = document.body.dataset.root;
const KEY_CODES = new Set(["api_key_missing", "api_key_invalid", "scope_missing"]); // another key may help

export class ServiceError extends Error {
  constructor(message, { code = "", request_id: requestId = "" } = {}) {
    super(message);
    this.code = code;
    this.requestId = requestId;
  }
}

export async function getJson(path) {
  return readJson(await send(path, {}, {}));
}

export async function postJson(path, body) {
  const headers = { "Content-Type": "application/json" };
  return readJson(await send(path, { method: "POST", headers, body: JSON.stringify(body) }, {}));
}

// The events of one answer as {event, data}, `data` being what the JSON says. The last one is "done".
export async function* askEvents(body, signal) {
  const headers = { "Content-Type": "application/json", Accept: "text/event-stream, application/json" };
  const response = await send("/v1/ask", { method: "POST", headers, body: JSON.stringify(body) }, { signal, insist: true });
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
    yield { event: "done", data: await readJson(response) };
    return;
  }
  try {
    for await (const { event, data } of readEvents(response.body)) {
      const parsed = JSON.parse(data);
      if (event === "error") throw asError(parsed, response.status);
      yield { event, data: parsed };
      if (event === "done") return;
    }
  } catch (error) {
    if (error instanceof ServiceError || signal.aborted) throw error;
    throw new ServiceError("答案没有传完，连接就断了。请再问一次。", { code: "connection_lost" });
  }
  throw new ServiceError("答案没有传完，连接就断了。请再问一次。", { code: "connection_lost" });
}

async function send(path, options, { signal, insist }) {
  for (;;) {
    const key = currentKey();
    const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
    let response;
    try {
      response = await fetch(root + path, { ...options, headers, signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ServiceError("连不上服务。请检查网络，或稍后再试。", { code: "unreachable" });
    }
    if (response.ok) return response;
    const error = asError(await response.json().catch(() => null), response.status);
    if (!KEY_CODES.has(error.code)) throw error;
    await keyOtherThan(key, error.message, { signal, insist });
  }
}

async function readJson(response) {
  try {
    return await response.json();
  } catch {
    throw new ServiceError(`服务返回了无法识别的内容（HTTP ${response.status}）。请稍后再试。`);
  }
}

function asError(body, status) {
  const error = body?.error;
  if (!error?.message) return new ServiceError(`服务没有给出答复（HTTP ${status}）。请稍后再试。`, { code: String(status) });
  return new ServiceError(error.message, error);
}
