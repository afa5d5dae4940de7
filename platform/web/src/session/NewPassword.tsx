/** A field for a password that somebody chooses. */

import { PasswordInput } from "@mantine/core";

interface Props {
  value: string;
  onChange: (value: string) => void;
  label?: string;
  error?: string | null;
}

/** A password manager may make and keep one; what is too weak, the platform says. */
export function NewPassword({ value, onChange, label = "New password", error = null }: Props) {
  return (
    <PasswordInput
      label={label}
      description="Several words that belong together only for you are good: at least 10 characters."
      name="new-password"
      autoComplete="new-password"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }}
      error={error}
    />
  );
}
