/** A field for a password that somebody has. */

import { PasswordInput } from "@mantine/core";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

/** A password manager fills it in. */
export function OldPassword({ label, value, onChange }: Props) {
  return (
    <PasswordInput
      label={label}
      autoComplete="current-password"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      visibilityToggleButtonProps={{ "aria-label": "Show or hide the password" }}
    />
  );
}
