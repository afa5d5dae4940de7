/** The typed client of the platform's API: adds the token, turns refusals into problems. */

import createClient, { type Middleware } from "openapi-fetch";
import { currentSession, endSession } from "../session/session";
import { offline, problemOf } from "./problem";
import type { paths } from "./schema";

const LOGIN = "/api/v1/auth/login/";

const edge: Middleware = {
  onRequest({ request }) {
    const session = currentSession();
    if (session) request.headers.set("Authorization", `Bearer ${session.access}`);
    return request;
  },
  async onResponse({ response, schemaPath }) {
    if (response.ok) return undefined;
    const problem = await problemOf(response);
    if (response.status === 401 && schemaPath !== LOGIN) endSession("ended");
    throw problem;
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
