/** A role, and where it holds. */

import { NativeSelect } from "@mantine/core";
import type { Role } from "../api/types";
import { choices, type Place } from "../places/tree";
import css from "../ui/Page.module.css";

export interface Assignment {
  readonly role: string;
  /** The id of a place; empty for the whole client. */
  readonly place: string;
}

interface Props {
  roles: readonly Role[];
  places: readonly Place[];
  value: Assignment;
  onChange: (value: Assignment) => void;
  /** Tells several of these apart. */
  number?: number;
}

/** Roles that may do nothing yet are not offered. */
export function RoleFields({ roles, places, value, onChange, number }: Props) {
  const which = number === undefined ? "" : ` ${number}`;
  const offered = roles.filter((one) => one.permissions.length > 0 || one.role === value.role);
  return (
    <div className={css.pair}>
      <NativeSelect
        label={`Role${which}`}
        data={offered.map(({ role, title }) => ({ value: role, label: title }))}
        value={value.role}
        onChange={(event) => onChange({ ...value, role: event.currentTarget.value })}
      />
      <NativeSelect
        label={`Where${which}`}
        data={choices(places)}
        value={value.place}
        onChange={(event) => onChange({ ...value, place: event.currentTarget.value })}
      />
    </div>
  );
}
