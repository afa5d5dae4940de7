/** The whole program: signed in or not. */

import { DashboardPage } from "./zones/DashboardPage";
import { LiveProvider } from "./live/context";
import { SignInPage } from "./session/SignInPage";
import { useSession } from "./session/session";

/** Shows the dashboard to whoever is signed in. */
export function App() {
  const session = useSession();
  if (!session) return <SignInPage />;
  return (
    <LiveProvider key={session.access} token={session.access}>
      <DashboardPage />
    </LiveProvider>
  );
}
