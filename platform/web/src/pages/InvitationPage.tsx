/** An invitation: what it offers, and who is new here names itself. */

import { Button, Skeleton, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { takeToken } from "../router";
import { Gate, Notice } from "../session/Gate";
import { NewPassword } from "../session/NewPassword";
import { useSession } from "../session/session";
import css from "../session/SignInPage.module.css";
import { Failure } from "../ui/Failure";
import { BackToSignIn } from "./SignUpPage";

/** Shows the offer and accepts it. */
export function InvitationPage() {
  const [token] = useState(takeToken);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [missing, setMissing] = useState(false);
  const session = useSession();
  const offer = useQuery({
    queryKey: ["invitation", token],
    enabled: token !== "",
    queryFn: async () =>
      body(await api.POST("/api/v1/auth/invitations/preview/", { body: { token } })),
  });
  const known = offer.data?.known ?? false;
  const accept = useMutation({
    mutationFn: async () => {
      await api.POST("/api/v1/auth/invitations/accept/", {
        body: known ? { token } : { token, name: name.trim(), password },
      });
    },
  });
  if (accept.isSuccess && offer.data) {
    return (
      <Gate title={`Welcome to ${offer.data.client}`}>
        <Notice>
          {session
            ? `Choose ${offer.data.client} in the list of clients at the top of the page.`
            : `Sign in with ${offer.data.email} now.`}
        </Notice>
        <BackToSignIn />
      </Gate>
    );
  }
  if (!token) {
    return (
      <Gate title="Invitation">
        <Notice>This page needs the link of the letter that we sent you.</Notice>
        <BackToSignIn />
      </Gate>
    );
  }
  if (offer.isError) {
    return (
      <Gate title="Invitation">
        <Failure title="This invitation cannot be accepted" error={offer.error} />
        <BackToSignIn />
      </Gate>
    );
  }
  if (!offer.data) {
    return (
      <Gate title="Invitation">
        <Skeleton height={120} aria-label="Loading the invitation" />
      </Gate>
    );
  }
  return (
    <Gate title={`Join ${offer.data.client}`}>
      <p className={css.lead}>
        You are invited as <strong>{offer.data.title}</strong> with the address{" "}
        <strong>{offer.data.email}</strong>.
        {known && " Your account stays as it is."}
      </p>
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const incomplete = !known && !(name.trim() && password);
          setMissing(incomplete);
          if (!incomplete) accept.mutate();
        }}
      >
        <Failure title="You have not joined" error={accept.error} />
        {!known && (
          <>
            <TextInput
              label="Your name"
              autoComplete="name"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              error={missing && !name.trim() ? "Write your name." : null}
            />
            <NewPassword
              label="Password"
              value={password}
              onChange={setPassword}
              error={missing && !password ? "Choose a password." : null}
            />
          </>
        )}
        <Button type="submit" size="lg" fullWidth loading={accept.isPending}>
          Accept the invitation
        </Button>
      </form>
    </Gate>
  );
}
