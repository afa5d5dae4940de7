/** The sign-in page. */

import { Alert, Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type SubmitEvent, useEffect, useRef, useState } from "react";
import { api, body } from "../api/client";
import { advice, asProblem } from "../api/problem";
import { Mark, WarnIcon } from "../ui/icons";
import { type Ending, beginSession, useEnding } from "./session";
import css from "./SignInPage.module.css";

const NOTICE: Record<Exclude<Ending, null>, string> = {
  ended: "Your session has ended. Sign in again to go on.",
  forbidden: "This account may not see what plays. Sign in with another one.",
  left: "You have signed out.",
};

/** Asks for e-mail address and password. */
export function SignInPage() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [missing, setMissing] = useState(false);
  const ending = useEnding();
  const failure = useRef<HTMLDivElement>(null);
  const signIn = useMutation({
    mutationFn: async () =>
      body(await api.POST("/api/v1/auth/login/", { body: { email: email.trim(), password } })),
    onSuccess: beginSession,
  });
  useEffect(() => {
    if (signIn.isError) failure.current?.focus();
  }, [signIn.isError, signIn.submittedAt]);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const incomplete = !email.trim() || !password;
    setMissing(incomplete);
    if (!incomplete) signIn.mutate();
  };

  return (
    <main className={css.page}>
      <div className={css.card}>
        <header className={css.brand}>
          <Mark size={44} />
          <h1 className={css.title}>Sign in to sync2gear</h1>
        </header>
        {ending && !signIn.isError && (
          <p className={css.notice} role="status">
            {NOTICE[ending]}
          </p>
        )}
        {signIn.isError && (
          <Alert
            ref={failure}
            tabIndex={-1}
            color="red"
            icon={<WarnIcon size={20} />}
            role="alert"
            title="You are not signed in"
          >
            {explain(signIn.error)}
          </Alert>
        )}
        <form className={css.form} onSubmit={submit} noValidate>
          <TextInput
            label="E-mail address"
            type="email"
            name="email"
            autoComplete="username"
            inputMode="email"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
            error={missing && !email.trim() ? "Write your e-mail address." : null}
          />
          <PasswordInput
            label="Password"
            name="password"
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }}
            error={missing && !password ? "Write your password." : null}
          />
          <Button type="submit" size="lg" fullWidth loading={signIn.isPending}>
            Sign in
          </Button>
        </form>
      </div>
    </main>
  );
}

function explain(error: unknown): string {
  const problem = asProblem(error);
  if (problem.status === 401) {
    return "The e-mail address or the password is wrong. Check both and try again.";
  }
  return `${problem.detail} ${advice(problem)}`.trim();
}
