/** The typed client of the platform's API: proves where changes come from, refusals are thrown. */

import createClient, { type Middleware } from "openapi-fetch";
import { currentSession, restore } from "../session/session";
import { offline, problemOf } from "./problem";
import type { paths } from "./schema";

const SAFE = new Set(["GET", "HEAD"]);
/** What the platform refuses when this window's idea of the session is old. */
const STALE = new Set(["csrf_failed", "client_switched", "session_ended", "second_factor_required"]);

/** Says for which client a request is, and that this page wants it. */
function prove(request: Request): void {
  const session = currentSession();
  if (!session) return;
  if (session.client) request.headers.set("X-Client", session.client.id);
  if (!SAFE.has(request.method)) request.headers.set("X-CSRFToken", session.csrf);
}

/** Throws what is no success. */
async function refuse(response: Response): Promise<void> {
  if (response.ok) return;
  const problem = await problemOf(response);
  if (currentSession() && (response.status === 401 || STALE.has(problem.code))) void restore();
  throw problem;
}

const edge: Middleware = {
  onRequest({ request }) {
    prove(request);
    return request;
  },
  async onResponse({ response }) {
    await refuse(response);
    return undefined;
  },
  onError({ error }) {
    return error instanceof TypeError ? offline() : undefined;
  },
};

export const api = createClient<paths>({ baseUrl: window.location.origin });
api.use(edge);

/** The body of a call that cannot have been refused: refusals are thrown. */
export function body<T>(answer: { data?: T }): T {
  if (answer.data === undefined) throw new TypeError("the answer has no body");
  return answer.data;
}

/** The version of what an answer holds, for `If-Match` when it is changed. */
export function tagOf({ response }: { response: Response }): string {
  return response.headers.get("ETag") ?? "";
}

/** Sends a file as a body, or asks without one: the generated client knows bodies of JSON only. */
export async function send(
  path: string,
  method: "POST" | "PUT" | "DELETE",
  file?: File,
  type = file?.type ?? "",
): Promise<Response> {
  const request = new Request(path, file ? { method, body: file, headers: { "Content-Type": type } } : { method });
  prove(request);
  let response: Response;
  try {
    response = await fetch(request);
  } catch {
    throw offline();
  }
  await refuse(response);
  return response;
}
