/** Inviting somebody by e-mail, as what and where. */

import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import type { Role } from "../api/types";
import { type Place, toBody } from "../places/tree";
import { useSession } from "../session/session";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { tellDone } from "../ui/notify";
import css from "../ui/Page.module.css";
import { type Assignment, RoleFields } from "./RoleFields";

interface Props {
  roles: readonly Role[];
  places: readonly Place[];
  onClose: () => void;
}

/** The letter's language is that of whoever invites. */
export function InviteDialog({ roles, places, onClose }: Props) {
  const locale = useSession()?.user.locale ?? "en";
  const [email, setEmail] = useState("");
  const [missing, setMissing] = useState(false);
  const [assignment, setAssignment] = useState<Assignment>({ role: "client_user", place: "" });
  const queries = useQueryClient();
  const invite = useMutation({
    mutationFn: async () => {
      const where = toBody(assignment.place, places);
      return body(
        await api.POST("/api/v1/invitations/", {
          body: { email: email.trim(), role: assignment.role, locale, ...where },
        }),
      );
    },
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ["invitations"] });
      tellDone("Invited", `A letter is on its way to ${made.email}.`);
      onClose();
    },
  });
  return (
    <Dialog title="Invite somebody" opened onClose={onClose}>
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setMissing(!email.trim());
          if (email.trim()) invite.mutate();
        }}
      >
        <Failure title="Nobody was invited" error={invite.error} />
        <TextInput
          label="E-mail address"
          type="email"
          autoComplete="off"
          data-autofocus
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          error={missing && !email.trim() ? "Write an e-mail address." : null}
        />
        <RoleFields roles={roles} places={places} value={assignment} onChange={setAssignment} />
        <div className={css.actions}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={invite.isPending}>
            Send the invitation
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
