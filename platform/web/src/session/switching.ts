/** Acting in another client: explicit, and everything begins anew there. */

import { useMutation } from "@tanstack/react-query";
import { api, body } from "../api/client";
import { navigate } from "../router";
import { tellProblem } from "../ui/notify";
import { beginSession } from "./session";

/** Switches to a client; null leads sync2gear's own people back to none. */
export function useSwitch() {
  return useMutation({
    mutationFn: async (client_id: string | null) =>
      body(await api.POST("/api/v1/auth/switch/", { body: { client_id } })),
    onSuccess: (given) => {
      navigate("/");
      beginSession(given);
    },
    onError: (error) => tellProblem("You are still where you were", error),
  });
}
