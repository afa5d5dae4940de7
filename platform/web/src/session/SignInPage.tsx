/** The sign-in page. */

import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { api, body } from "../api/client";
import { asProblem, type Problem } from "../api/problem";
import { takeParameter } from "../router";
import { Check } from "../ui/Check";
import { Failure } from "../ui/Failure";
import { Link } from "../ui/Link";
import { Gate, Notice } from "./Gate";
import { type Ending, beginSession, useEnding } from "./session";
import css from "./SignInPage.module.css";

const NOTICE: Record<Exclude<Ending, null>, string> = {
  ended: "Your session has ended. Sign in again to go on.",
  left: "You have signed out.",
};

const WANTS_CODE = new Set(["otp_required", "wrong_otp", "too_many_codes"]);

/** What came of a sign-in with the provider, which sends the browser back with it. */
const FROM_PROVIDER = takeParameter("sign-in");

/** Asks for e-mail address and password, and for a code from whoever has a second factor. */
export function SignInPage() {
  const ending = useEnding();
  if (FROM_PROVIDER === "otp_required") return <ProviderCode />;
  return (
    <Gate title="Sign in to sync2gear">
      {ending && <Notice>{NOTICE[ending]}</Notice>}
      {FROM_PROVIDER && !ending && (
        <Notice>
          {FROM_PROVIDER === "oidc_no_account"
            ? "There is no account for that address here: ask a manager for an invitation."
            : "The sign-in provider did not let you in. Try again, or use your password."}
        </Notice>
      )}
      <PasswordForm />
      <Provider />
      <nav className={css.links} aria-label="Other ways">
        <Link href="/forgotten">Forgotten your password?</Link>
        <Link href="/signup">Sign up</Link>
      </nav>
    </Gate>
  );
}

function PasswordForm() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [otp, setOtp] = useState("");
  const [remember, setRemember] = useState(false);
  const [missing, setMissing] = useState(false);
  const [asked, setAsked] = useState(false);
  const signIn = useMutation({
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/auth/login/", {
          body: {
            email: email.trim(),
            password,
            session: "cookie",
            remember,
            ...(otp.trim() && { otp: otp.trim() }),
          },
        }),
      ),
    onSuccess: beginSession,
    onError: (error) => {
      if (WANTS_CODE.has(asProblem(error).code)) setAsked(true);
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const incomplete = !email.trim() || !password;
    setMissing(incomplete);
    if (!incomplete) signIn.mutate();
  };
  const question = signIn.isError && asProblem(signIn.error).code === "otp_required";
  return (
    <form className={css.form} onSubmit={submit} noValidate>
      <Failure
        title="You are not signed in"
        error={question ? null : signIn.error}
        explain={explain}
      />
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
      {asked && <CodeInput value={otp} onChange={setOtp} />}
      <Check label="Stay signed in on this device" checked={remember} onChange={setRemember} />
      <Button type="submit" size="lg" fullWidth loading={signIn.isPending}>
        Sign in
      </Button>
    </form>
  );
}

interface CodeProps {
  value: string;
  onChange: (value: string) => void;
}

function CodeInput({ value, onChange }: CodeProps) {
  return (
    <TextInput
      label="Code of your authenticator app"
      description="Or one of your recovery codes."
      name="otp"
      autoComplete="one-time-code"
      autoCapitalize="none"
      spellCheck={false}
      autoFocus
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** Completes a sign-in with the provider by a code of the second factor. */
function ProviderCode() {
  const [otp, setOtp] = useState("");
  const confirm = useMutation({
    mutationFn: async () =>
      body(await api.POST("/api/v1/auth/oidc/otp/", { body: { otp: otp.trim() } })),
    onSuccess: beginSession,
  });
  return (
    <Gate title="One code more">
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (otp.trim()) confirm.mutate();
        }}
      >
        <Failure
          title="You are not signed in"
          error={confirm.error}
          explain={({ detail }) => detail}
        />
        <CodeInput value={otp} onChange={setOtp} />
        <Button type="submit" size="lg" fullWidth loading={confirm.isPending}>
          Sign in
        </Button>
        <p className={css.links}>
          <a href="/">Sign in another way</a>
        </p>
      </form>
    </Gate>
  );
}

function Provider() {
  const offered = useQuery({
    queryKey: ["oidc"],
    queryFn: async () => body(await api.GET("/api/v1/auth/oidc/")),
  });
  if (!offered.data?.enabled) return null;
  return (
    <>
      <p className={css.or}>or</p>
      <Button component="a" href="/api/v1/auth/oidc/login/" variant="default" size="lg" fullWidth>
        Sign in with {offered.data.provider}
      </Button>
    </>
  );
}

function explain(problem: Problem): string | null {
  if (WANTS_CODE.has(problem.code)) return problem.detail;
  if (problem.status === 401) {
    return "The e-mail address or the password is wrong. Check both and try again.";
  }
  return null;
}
