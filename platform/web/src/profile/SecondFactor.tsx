/** The second factor: setting it up, switching it off, and recovery codes. */

import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, body } from "../api/client";
import { count, day } from "../format";
import { OldPassword } from "../session/OldPassword";
import { restore } from "../session/session";
import { Failure } from "../ui/Failure";
import { tellDone } from "../ui/notify";
import { Section } from "../ui/Page";
import css from "../ui/Page.module.css";
import { Secret } from "../ui/Secret";

/** Shows how it stands and what can be done. */
export function SecondFactor() {
  const queries = useQueryClient();
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const found = useQuery({
    queryKey: ["totp"],
    queryFn: async () => body(await api.GET("/api/v1/auth/totp/")),
  });
  const refresh = () => void queries.invalidateQueries({ queryKey: ["totp"] });
  const gave = (given: readonly string[]) => {
    setCodes(given);
    refresh();
  };
  const status = found.data;
  return (
    <Section
      title="Second factor"
      lead="A code from an app on your phone, asked for besides your password."
    >
      <Failure title="This cannot be shown" error={found.error} />
      {codes ? (
        <>
          <Secret
            name="Recovery codes"
            text={codes.join("\n")}
            lead="Each of these stands in for the app once. They are shown now and never again."
          />
          <Button
            variant="default"
            onClick={() => {
              setCodes(null);
              void restore(); // what waited for the second factor is allowed now
            }}
          >
            I have kept them
          </Button>
        </>
      ) : (
        status &&
        (status.enabled ? (
          <On
            since={status.since ?? ""}
            left={status.recovery_codes_left}
            required={status.required}
            onCodes={gave}
            onOff={refresh}
          />
        ) : (
          <Off onCodes={gave} />
        ))
      )}
    </Section>
  );
}

function Off({ onCodes }: { onCodes: (codes: readonly string[]) => void }) {
  const [password, setPassword] = useState("");
  const [otp, setOtp] = useState("");
  const begin = useMutation({
    gcTime: 0,
    mutationFn: async () =>
      body(await api.POST("/api/v1/auth/totp/setup/", { body: { password } })),
    onSuccess: () => setPassword(""),
  });
  const confirm = useMutation({
    gcTime: 0,
    mutationFn: async () =>
      body(await api.POST("/api/v1/auth/totp/confirm/", { body: { otp: otp.trim() } })),
    onSuccess: ({ recovery_codes }) => onCodes(recovery_codes),
  });
  if (!begin.data) {
    return (
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (password) begin.mutate();
        }}
      >
        <Failure title="It was not begun" error={begin.error} />
        <OldPassword
          label="Password, to set up a second factor"
          value={password}
          onChange={setPassword}
        />
        <Button type="submit" variant="default" disabled={!password} loading={begin.isPending}>
          Set it up
        </Button>
      </form>
    );
  }
  return (
    <form
      className={css.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (otp.trim()) confirm.mutate();
      }}
    >
      <p className={css.lead}>
        Let your authenticator app read this picture, or type the secret into it. Then write the
        code that it shows.
      </p>
      <img
        className={css.qr}
        alt="The secret as a picture for authenticator apps"
        src={`data:image/svg+xml;utf8,${encodeURIComponent(begin.data.svg)}`}
      />
      <Secret name="Secret" text={begin.data.secret} lead="The same by hand:" />
      <Failure title="It is not switched on" error={confirm.error} />
      <TextInput
        label="Code of the app"
        inputMode="numeric"
        autoComplete="one-time-code"
        value={otp}
        onChange={(event) => setOtp(event.currentTarget.value)}
      />
      <Button type="submit" disabled={!otp.trim()} loading={confirm.isPending}>
        Switch it on
      </Button>
    </form>
  );
}

interface OnProps {
  since: string;
  left: number;
  required: boolean;
  onCodes: (codes: readonly string[]) => void;
  onOff: () => void;
}

function On({ since, left, required, onCodes, onOff }: OnProps) {
  const [password, setPassword] = useState("");
  const renew = useMutation({
    gcTime: 0,
    mutationFn: async () =>
      body(await api.POST("/api/v1/auth/totp/recovery-codes/", { body: { password } })),
    onSuccess: ({ recovery_codes }) => onCodes(recovery_codes),
  });
  const off = useMutation({
    mutationFn: async () => {
      await api.POST("/api/v1/auth/totp/disable/", { body: { password } });
    },
    onSuccess: () => {
      tellDone("Switched off", "Your password alone signs you in now.");
      onOff();
      void restore();
    },
  });
  return (
    <div className={css.form}>
      <p>
        On since {day(since)}. {count(left, "recovery code")} left.
        {required && " Your client asks everybody for one."}
      </p>
      <Failure title="Nothing was changed" error={renew.error ?? off.error} />
      <OldPassword label="Password, to change this" value={password} onChange={setPassword} />
      <div className={css.buttons}>
        <Button
          variant="default"
          disabled={!password}
          loading={renew.isPending}
          onClick={() => renew.mutate()}
        >
          New recovery codes
        </Button>
        <Button
          variant="light"
          color="red"
          disabled={!password}
          loading={off.isPending}
          onClick={() => off.mutate()}
        >
          Switch it off
        </Button>
      </div>
    </div>
  );
}
