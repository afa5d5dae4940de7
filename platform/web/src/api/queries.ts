/** What this program has asked the platform; a new session begins with nothing. */

import { QueryClient } from "@tanstack/react-query";
import { asProblem } from "./problem";

/** Asks again what may have failed by chance. */
export function openQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 60_000,
        retry: (failures, error) => {
          const { status } = asProblem(error);
          return failures < 3 && (status === 0 || status >= 500);
        },
        // Three and a half seconds in all: by then people want to be told rather than to wait.
        retryDelay: (failures) => 500 * 2 ** failures,
      },
      mutations: { retry: false, networkMode: "always" },
    },
  });
}
