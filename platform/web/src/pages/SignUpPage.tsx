/** Signing up: a new client with its first manager, then the link that completes it. */

import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { navigate, takeToken } from "../router";
import { Gate, Notice } from "../session/Gate";
import { NewPassword } from "../session/NewPassword";
import { OldPassword } from "../session/OldPassword";
import { beginSession } from "../session/session";
import css from "../session/SignInPage.module.css";
import { Failure } from "../ui/Failure";
import { Link } from "../ui/Link";

/** Asks for what a client needs to begin. */
export function SignUpPage() {
  const [name, setName] = useState("");
  const [company, setCompany] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [missing, setMissing] = useState(false);
  const signUp = useMutation({
    mutationFn: async () => {
      const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      return body(
        await api.POST("/api/v1/auth/signup/", {
          body: { name: name.trim(), company: company.trim(), email: email.trim(), password, timezone },
        }),
      );
    },
  });
  if (signUp.data) {
    return (
      <Gate title="Look into your mail">
        <Notice>{signUp.data.detail}</Notice>
        <BackToSignIn />
      </Gate>
    );
  }
  const wanted = (value: string, message: string) => (missing && !value.trim() ? message : null);
  return (
    <Gate title="Sign up to sync2gear">
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const incomplete = ![name, company, email, password].every((value) => value.trim());
          setMissing(incomplete);
          if (!incomplete) signUp.mutate();
        }}
      >
        <Failure title="You are not signed up" error={signUp.error} />
        <TextInput
          label="Your name"
          autoComplete="name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={wanted(name, "Write your name.")}
        />
        <TextInput
          label="Business"
          autoComplete="organization"
          value={company}
          onChange={(event) => setCompany(event.currentTarget.value)}
          error={wanted(company, "Write the name of your business.")}
        />
        <TextInput
          label="E-mail address"
          type="email"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          error={wanted(email, "Write your e-mail address.")}
        />
        <NewPassword
          label="Password"
          value={password}
          onChange={setPassword}
          error={wanted(password, "Choose a password.")}
        />
        <Button type="submit" size="lg" fullWidth loading={signUp.isPending}>
          Sign up
        </Button>
      </form>
      <BackToSignIn />
    </Gate>
  );
}

/** Completes a sign-up, once somebody presses the button: programs that look at links do not. */
export function SignUpConfirmPage() {
  const [token] = useState(takeToken);
  const [password, setPassword] = useState("");
  const confirm = useMutation({
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/auth/signup/confirm/", {
          body: { token, password, session: "cookie" },
        }),
      ),
    onSuccess: (given) => {
      navigate("/");
      beginSession(given);
    },
  });
  return (
    <Gate title="Complete your sign-up">
      <Failure title="You are not signed up" error={confirm.error} />
      {!token && <Notice>This page needs the link of the letter that we sent you.</Notice>}
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (token && password) confirm.mutate();
        }}
      >
        <OldPassword
          label="The password that you chose when you signed up"
          value={password}
          onChange={setPassword}
        />
        <Button
          type="submit"
          size="lg"
          fullWidth
          disabled={!token || !password}
          loading={confirm.isPending}
        >
          Begin
        </Button>
      </form>
      <BackToSignIn />
    </Gate>
  );
}

/** The way back. */
export function BackToSignIn() {
  return (
    <nav className={css.links} aria-label="Other ways">
      <Link href="/">Sign in</Link>
    </nav>
  );
}
