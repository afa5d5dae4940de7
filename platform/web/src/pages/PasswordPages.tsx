/** A forgotten password, the link to choose a new one, and the link of a new e-mail address. */

import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { takeToken } from "../router";
import { Gate, Notice } from "../session/Gate";
import { NewPassword } from "../session/NewPassword";
import { endSession } from "../session/session";
import css from "../session/SignInPage.module.css";
import { Failure } from "../ui/Failure";
import { BackToSignIn } from "./SignUpPage";

/** Asks for a letter with a link. */
export function ForgottenPage() {
  const [email, setEmail] = useState("");
  const [missing, setMissing] = useState(false);
  const request = useMutation({
    mutationFn: async () =>
      body(await api.POST("/api/v1/auth/password-reset/", { body: { email: email.trim() } })),
  });
  if (request.data) {
    return (
      <Gate title="Look into your mail">
        <Notice>{request.data.detail}</Notice>
        <BackToSignIn />
      </Gate>
    );
  }
  return (
    <Gate title="Forgotten your password?">
      <p className={css.lead}>We send you a link to choose a new one.</p>
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setMissing(!email.trim());
          if (email.trim()) request.mutate();
        }}
      >
        <Failure title="No link was sent" error={request.error} />
        <TextInput
          label="E-mail address"
          type="email"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          error={missing && !email.trim() ? "Write your e-mail address." : null}
        />
        <Button type="submit" size="lg" fullWidth loading={request.isPending}>
          Send the link
        </Button>
      </form>
      <BackToSignIn />
    </Gate>
  );
}

/** Chooses a new password by a link; every session ends. */
export function ResetPage() {
  const [token] = useState(takeToken);
  const [password, setPassword] = useState("");
  const [missing, setMissing] = useState(false);
  const reset = useMutation({
    mutationFn: async () => {
      await api.POST("/api/v1/auth/password-reset/confirm/", {
        body: { token, new_password: password },
      });
    },
    onSuccess: () => endSession(null),
  });
  if (reset.isSuccess) {
    return (
      <Gate title="Your password is changed">
        <Notice>Every device that was signed in is signed out. Sign in with the new password.</Notice>
        <BackToSignIn />
      </Gate>
    );
  }
  return (
    <Gate title="Choose a new password">
      {!token && <Notice>This page needs the link of the letter that we sent you.</Notice>}
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setMissing(!password);
          if (password) reset.mutate();
        }}
      >
        <Failure title="The password is not changed" error={reset.error} />
        <NewPassword
          value={password}
          onChange={setPassword}
          error={missing && !password ? "Choose a password." : null}
        />
        <Button type="submit" size="lg" fullWidth disabled={!token} loading={reset.isPending}>
          Change the password
        </Button>
      </form>
      <BackToSignIn />
    </Gate>
  );
}

/** Makes a new e-mail address one's own by its link; every session ends. */
export function EmailChangePage() {
  const [token] = useState(takeToken);
  const confirm = useMutation({
    mutationFn: async () => {
      await api.POST("/api/v1/auth/me/email/confirm/", { body: { token } });
    },
    onSuccess: () => endSession(null),
  });
  return (
    <Gate title="Your new e-mail address">
      <Failure title="The address is not changed" error={confirm.error} />
      {confirm.isSuccess ? (
        <Notice>From now on, sign in with your new address.</Notice>
      ) : (
        <>
          {!token && <Notice>This page needs the link of the letter that we sent you.</Notice>}
          <Button
            size="lg"
            fullWidth
            disabled={!token}
            loading={confirm.isPending}
            onClick={() => confirm.mutate()}
          >
            Use this address
          </Button>
        </>
      )}
      <BackToSignIn />
    </Gate>
  );
}
