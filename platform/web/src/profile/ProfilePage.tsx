/** One's own account: name and language, password, second factor, where one is signed in. */

import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { api, body } from "../api/client";
import type { SignIn } from "../api/types";
import { day, dayAndTime } from "../format";
import { NewPassword } from "../session/NewPassword";
import { OldPassword } from "../session/OldPassword";
import { beginSession, renewSession, type Session, useSession } from "../session/session";
import { Failure } from "../ui/Failure";
import { tellDone, tellProblem } from "../ui/notify";
import { Page, Row, Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { Avatar } from "./Avatar";
import { SecondFactor } from "./SecondFactor";

/** While a second factor is asked for and missing, nothing else comes first. */
export function ProfilePage() {
  const session = useSession();
  if (!session) return null;
  return (
    <Page title="Your account">
      {session.second_factor_missing && (
        <p className={css.lead} role="status">
          {session.client?.name} asks everybody for a second factor. Set yours up to go on.
        </p>
      )}
      {session.second_factor_missing && <SecondFactor />}
      <Person session={session} />
      <Avatar session={session} />
      <Address session={session} />
      <Password />
      {!session.second_factor_missing && <SecondFactor />}
      <SignIns />
    </Page>
  );
}

const LOCALES = [
  { value: "en", label: "English" },
  { value: "de", label: "Deutsch" },
];

function Person({ session: { user } }: { session: Session }) {
  const [name, setName] = useState(user.name);
  const [phone, setPhone] = useState(user.phone);
  const [timezone, setTimezone] = useState(user.timezone);
  const [locale, setLocale] = useState(user.locale);
  const save = useMutation({
    mutationFn: async () =>
      body(await api.PATCH("/api/v1/auth/me/", { body: { name, phone, timezone, locale } })),
    onSuccess: (me) => {
      renewSession(me);
      tellDone("Saved", "Your details are changed.");
    },
  });
  const zones = [...new Set(["UTC", user.timezone, ...Intl.supportedValuesOf("timeZone")])];
  const locales = LOCALES.some((one) => one.value === user.locale)
    ? LOCALES
    : [...LOCALES, { value: user.locale, label: user.locale }];
  return (
    <Section title="You">
      <form className={css.form} onSubmit={submitting(() => save.mutate())} noValidate>
        <Failure title="Nothing was changed" error={save.error} />
        <TextInput
          label="Name"
          autoComplete="name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="Phone"
          type="tel"
          autoComplete="tel"
          value={phone}
          onChange={(event) => setPhone(event.currentTarget.value)}
        />
        <div className={css.pair}>
          <NativeSelect
            label="Time zone"
            data={zones}
            value={timezone}
            onChange={(event) => setTimezone(event.currentTarget.value)}
          />
          <NativeSelect
            label="Language of letters"
            data={locales}
            value={locale}
            onChange={(event) => setLocale(event.currentTarget.value)}
          />
        </div>
        <Button type="submit" loading={save.isPending}>
          Save
        </Button>
      </form>
    </Section>
  );
}

function Address({ session }: { session: Session }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const ask = useMutation({
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/auth/me/email/", { body: { email: email.trim(), password } }),
      ),
    onSuccess: ({ detail }) => {
      tellDone("Look into your mail", detail);
      setEmail("");
      setPassword("");
    },
  });
  return (
    <Section title="E-mail address" lead={`You sign in with ${session.user.email}.`}>
      <form className={css.form} onSubmit={submitting(() => ask.mutate())} noValidate>
        <Failure title="Nothing was changed" error={ask.error} />
        <TextInput
          label="New e-mail address"
          type="email"
          autoComplete="off"
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <OldPassword label="Password, to change the address" value={password} onChange={setPassword} />
        <Button
          type="submit"
          variant="default"
          disabled={!email.trim() || !password}
          loading={ask.isPending}
        >
          Send a link there
        </Button>
      </form>
    </Section>
  );
}

function Password() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/auth/change-password/", {
          body: { current_password: current, new_password: next },
        }),
      ),
    onSuccess: (given) => {
      setCurrent("");
      setNext("");
      beginSession(given);
      void queries.invalidateQueries({ queryKey: ["sessions"] });
      tellDone("Your password is changed", "Every other device is signed out.");
    },
  });
  return (
    <Section title="Password" lead="Changing it signs out every other device.">
      <form className={css.form} onSubmit={submitting(() => change.mutate())} noValidate>
        <Failure title="The password is not changed" error={change.error} />
        <OldPassword label="Current password" value={current} onChange={setCurrent} />
        <NewPassword value={next} onChange={setNext} />
        <Button
          type="submit"
          variant="default"
          disabled={!current || !next}
          loading={change.isPending}
        >
          Change the password
        </Button>
      </form>
    </Section>
  );
}

function SignIns() {
  const queries = useQueryClient();
  const found = useQuery({
    queryKey: ["sessions"],
    queryFn: async () => body(await api.GET("/api/v1/auth/sessions/")).results,
  });
  const end = useMutation({
    mutationFn: async ({ id }: SignIn) => {
      const path = { session_id: id };
      await api.DELETE("/api/v1/auth/sessions/{session_id}/", { params: { path } });
    },
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["sessions"] }),
    onError: (error) => tellProblem("It is still signed in", error),
  });
  return (
    <Section title="Where you are signed in">
      {found.isError && <Failure title="This cannot be shown" error={found.error} />}
      <ul className={css.list} aria-label="Sessions">
        {(found.data ?? []).map((one) => (
          <li key={one.id} className={css.row}>
            <Row
              title={
                <>
                  {one.kind === "browser" ? "Browser" : "Program"}
                  {one.current && <span className={css.tag}>this one</span>}
                </>
              }
              detail={
                <>
                  {one.agent || "Unknown"}
                  <br />
                  {one.address} · since {day(one.created_at)} · last used{" "}
                  {dayAndTime(one.last_used_at)}
                </>
              }
            >
              {!one.current && (
                <Button
                  variant="default"
                  loading={end.isPending && end.variables.id === one.id}
                  aria-label={`Sign out there: ${one.agent || one.kind}`}
                  onClick={() => end.mutate(one)}
                >
                  Sign out there
                </Button>
              )}
            </Row>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function submitting(act: () => void) {
  return (event: SubmitEvent) => {
    event.preventDefault();
    act();
  };
}
