// error.js: a refusal or a failure, with the host's stable code.
export class HostError extends Error {
  constructor(code, detail, more = {}) {
    super(detail || code);
    Object.assign(this, more, { code, detail: detail || code });
  }
}
