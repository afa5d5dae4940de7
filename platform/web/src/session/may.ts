/** What the signed-in person may do, and where. The platform decides; this only hides buttons. */

import { usePlaces } from "../places/places";
import { holdsIn, wherever } from "./reach";
import { useSession } from "./session";

/** Tells of a zone whether the signed-in person may do this there. */
export function useMayThere(permission: string): (zone: string) => boolean {
  const session = useSession();
  const everywhere = session !== null && wherever(session, permission);
  const held = session?.permissions.includes(permission) ?? false;
  const places = usePlaces(held && !everywhere);
  if (!session || !held) return () => false;
  if (everywhere) return () => true;
  return (zone) => holdsIn(session, permission, zone, places.data ?? []);
}
