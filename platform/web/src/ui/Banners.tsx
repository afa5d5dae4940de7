/** What everybody must know who looks at this client: it stands still, or support is looking. */

import { Button } from "@mantine/core";
import type { Session } from "../session/session";
import { useSwitch } from "../session/switching";
import css from "./Header.module.css";
import { WarnIcon } from "./icons";

/** Below the header, on every page. */
export function Banners({ session }: { session: Session }) {
  const { client, viewing } = session;
  const standing = client?.standing ?? "active";
  if (!viewing && standing === "active") return null;
  return (
    <div className={css.banners}>
      {client && standing !== "active" && (
        <p className={css.banner} role="status" aria-label="Subscription">
          <WarnIcon size={20} />
          <span>
            {client.name} is {standing}. Music goes on; nothing can be changed. Ask sync2gear to
            {standing === "suspended" ? " lift the suspension." : " open it again."}
          </span>
        </p>
      )}
      {client && viewing && <Viewing name={client.name} />}
    </div>
  );
}

function Viewing({ name }: { name: string }) {
  const change = useSwitch();
  return (
    <div className={css.banner} role="status" aria-label="Viewing">
      <WarnIcon size={20} />
      <span>You look at {name} as one of sync2gear’s own people. It is written down there.</span>
      <Button variant="default" loading={change.isPending} onClick={() => change.mutate(null)}>
        Leave {name}
      </Button>
    </div>
  );
}
