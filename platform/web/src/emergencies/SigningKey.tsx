/** The key under which emergencies are signed, for whoever may replace it. */

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { useMay } from "../session/session";
import { Confirm } from "../ui/Dialog";
import { tellDone } from "../ui/notify";
import { Section } from "../ui/Page";

/** Seldom needed: after somebody had the database, or as a rule of the house. */
export function SigningKey({ active }: { active: boolean }) {
  const mayWrite = useMay("emergencies.write");
  const [open, setOpen] = useState(false);
  const renew = useMutation({
    mutationFn: async () => body(await api.POST("/api/v1/emergencies/keys/")),
    onSuccess: () => {
      setOpen(false);
      tellDone("Another key", "Speakers learn it now; what is raised from now on is signed with it.");
    },
  });
  if (!mayWrite) return null;
  return (
    <Section
      title="Signature"
      lead="Speakers obey only what is signed for their zone. Another key takes over at once; the one before is still known."
      action={
        <Button variant="default" disabled={active} onClick={() => setOpen(true)}>
          Sign with another key
        </Button>
      }
    >
      {active && <p role="status">While an emergency is active the key stays as it is.</p>}
      <Confirm
        title="Sign with another key?"
        verb="Use another key"
        opened={open}
        pending={renew.isPending}
        error={renew.error}
        onClose={() => setOpen(false)}
        onConfirm={() => renew.mutate()}
      >
        A speaker that is away learns it when it comes back, and does not obey before. Done twice, speakers that
        were away all the while know none of the keys until then.
      </Confirm>
    </Section>
  );
}
