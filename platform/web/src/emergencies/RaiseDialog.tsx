/** Raising a message: a drill or not, where, for how long, and a button that must be held. */

import { NativeSelect } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { PlaceChoice } from "../announcements/PlaceChoice";
import { useTargets } from "../announcements/useTargets";
import { api, body } from "../api/client";
import type { EmergencyMessage } from "../api/types";
import { count } from "../format";
import { reach } from "../session/reach";
import { useSession } from "../session/session";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { HoldButton } from "../ui/HoldButton";
import page from "../ui/Page.module.css";
import { useRefresh } from "./api";
import css from "./Emergencies.module.css";
import { toWhere } from "./where";

const MINUTES = [5, 15, 30, 60];

interface Props {
  message: EmergencyMessage;
  onClose: () => void;
}

/** Everywhere needs no choice: opened, held, done. */
export function RaiseDialog({ message, onClose }: Props) {
  const { zones, places } = useTargets("emergencies.raise");
  const session = useSession();
  const mine = session !== null && reach(session, "emergencies.raise") !== null;
  const [drill, setDrill] = useState(false);
  /** Null is everywhere. */
  const [chosen, setChosen] = useState<ReadonlySet<string> | null>(null);
  const [minutes, setMinutes] = useState("");
  const key = useKey();
  const refresh = useRefresh();
  const raise = useMutation({
    mutationFn: async () => {
      const given = {
        message_id: message.id,
        drill,
        minutes: minutes ? Number(minutes) : null,
        ...toWhere(chosen, zones.map(({ zone_id }) => zone_id), places),
      };
      const params = { header: { "Idempotency-Key": key(JSON.stringify(given)) } };
      return body(await api.POST("/api/v1/emergencies/", { params, body: given }));
    },
    onSuccess: () => {
      onClose();
      window.scrollTo(0, 0);
    },
    onSettled: refresh,
  });
  const what = drill ? "the drill" : "the emergency";
  const everywhere = mine ? "in all your zones" : "everywhere";
  const where = chosen === null ? everywhere : `in ${count(chosen.size, "zone")}`;
  return (
    <Dialog title={`Raise ${message.name}`} opened onClose={onClose}>
      <div className={page.list}>
        <div className={page.form}>
          <Failure title="It was not raised" error={raise.error} />
          <fieldset className={css.choice}>
            <legend>What is it?</legend>
            <Option
              name="kind"
              tone="alarm"
              title="Emergency"
              detail="It is real."
              checked={!drill}
              onCheck={() => setDrill(false)}
            />
            <Option
              name="kind"
              tone="voice"
              title="Drill"
              detail="Heard alike, recorded as a drill."
              checked={drill}
              onCheck={() => setDrill(true)}
            />
          </fieldset>
          <fieldset className={css.choice}>
            <legend>Where?</legend>
            <Option
              name="where"
              title={mine ? "All your zones" : "Everywhere"}
              detail={zones.length > 0 ? count(zones.length, "zone") : "Every zone there is."}
              checked={chosen === null}
              onCheck={() => setChosen(null)}
            />
            <Option
              name="where"
              title="Some places"
              detail="Locations, floors or zones."
              checked={chosen !== null}
              onCheck={() => setChosen(chosen ?? new Set())}
            />
          </fieldset>
          {chosen !== null && (
            <PlaceChoice zones={zones} places={places} chosen={chosen} onChange={setChosen} />
          )}
          <NativeSelect
            label="How long?"
            data={[
              { value: "", label: "Until the all-clear" },
              ...MINUTES.map((n) => ({ value: String(n), label: `${n} minutes, unless it is cleared before` })),
            ]}
            value={minutes}
            onChange={(event) => setMinutes(event.currentTarget.value)}
          />
          <HoldButton
            tone="alarm"
            purpose={`to raise ${what} ${where}`}
            pending={raise.isPending}
            disabled={chosen !== null && chosen.size === 0}
            onDone={() => raise.mutate()}
          >
            {chosen !== null && chosen.size === 0
              ? "Choose where"
              : `${drill ? "Begin the drill" : "Raise it"} ${where}`}
          </HoldButton>
        </div>
      </div>
    </Dialog>
  );
}

/** The same for the same order: one that is sent again is raised once. */
function useKey(): (order: string) => string {
  const last = useRef({ order: "", key: "" });
  return (order) => {
    if (last.current.order !== order) {
      const random = crypto.getRandomValues(new Uint32Array(4));
      last.current = { order, key: [...random].map((n) => n.toString(16)).join("-") };
    }
    return last.current.key;
  };
}

interface OptionProps {
  name: string;
  title: string;
  detail: string;
  tone?: "alarm" | "voice";
  checked: boolean;
  onCheck: () => void;
}

function Option({ name, title, detail, tone, checked, onCheck }: OptionProps) {
  return (
    <label className={css.option} data-tone={tone}>
      <input type="radio" name={name} checked={checked} onChange={onCheck} />
      <strong>{title}</strong>
      <span>{detail}</span>
    </label>
  );
}
