/** Emergencies: what is active, what can be raised, and what was. */

import { Page } from "../ui/Page";
import { ActiveEmergency } from "./ActiveEmergency";
import { useActive } from "./api";
import { History } from "./History";
import { Messages } from "./Messages";
import { SigningKey } from "./SigningKey";

/** What must be done comes first: the all-clear, then raising. */
export function EmergenciesPage() {
  const active = useActive();
  return (
    <Page title="Emergencies">
      {active.map((one) => (
        <ActiveEmergency key={one.id} emergency={one} />
      ))}
      <Messages />
      <History />
      <SigningKey active={active.length > 0} />
    </Page>
  );
}
