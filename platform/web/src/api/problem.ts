/** Refusals of the platform (RFC 9457 problem+json) and what a person can do about them. */

/** What uses something that was to be removed. */
export interface User {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
}

/** Why a call did not do what it should. `code` is stable; `offline` and `unreadable` are ours. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly trace = "",
    readonly usedBy: readonly User[] = [],
  ) {
    super(detail);
    this.name = "Problem";
  }
}

/** The server did not answer at all. */
export function offline(): Problem {
  return new Problem(0, "offline", "The server does not answer.");
}

/** Reads an answer that is not a success. */
export async function problemOf(response: Response): Promise<Problem> {
  let text = "";
  try {
    text = await response.text();
  } catch {
    // cut off: the status says enough
  }
  return problemFrom(response.status, text);
}

/** The same of what another way of asking brought. */
export function problemFrom(status: number, text: string): Problem {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = null;
  }
  const field = (name: string): string => {
    const value: unknown = isRecord(body) ? body[name] : undefined;
    return typeof value === "string" ? value : "";
  };
  const detail = field("detail") || `The server answered with status ${status}.`;
  const users: unknown = isRecord(body) ? body.used_by : undefined;
  const usedBy = Array.isArray(users) ? users.filter(isUser) : [];
  return new Problem(status, field("code") || "unreadable", detail, field("trace"), usedBy);
}

function isUser(value: unknown): value is User {
  return isRecord(value) && ["kind", "id", "name"].every((name) => typeof value[name] === "string");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Any thrown thing as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, "bug", error instanceof Error ? error.message : "Something went wrong.");
}

/** What to do next, in one sentence; empty where the detail already says it. */
export function advice({ status, code, detail, trace }: Problem): string {
  if (status > 0 && status !== 500 && /\bagain\b/i.test(detail)) return "";
  if (code === "offline") return "Check this device's network, then try again. Music plays on.";
  if (status === 401) return "Sign in again.";
  if (status === 403) return "Ask a manager for the permission.";
  if (status === 404) return "It may have been removed: reload the page.";
  if (status === 409 || status === 412) return "Somebody else changed it: look and try again.";
  if (status === 429) return "Wait a minute, then try again.";
  if (status === 503) return "Wait a few seconds, then try again.";
  if (status >= 500 || code === "bug") {
    return trace ? `Try again; if it stays, report this number: ${trace}` : "Try again.";
  }
  return "";
}
