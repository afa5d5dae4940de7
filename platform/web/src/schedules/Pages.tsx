/** Which page about schedules an address is. */

import { ChannelPage } from "../channels/ChannelPage";
import { ChannelsPage } from "../channels/ChannelsPage";
import { ForecastPage } from "../forecast/ForecastPage";
import { useIsLive } from "../live/context";
import { useMay } from "../session/session";
import { ConflictsPage } from "./ConflictsPage";
import { FeedsPage } from "./FeedsPage";
import { NewSchedulePage, SchedulePage } from "./ScheduleEdit";
import { QuietPage } from "./QuietPage";
import { SchedulesPage } from "./SchedulesPage";
import { SharedPage } from "./SharedPage";

/** `/schedules` and everything below it. */
export function Pages({ path }: { path: string }) {
  const live = useIsLive();
  const maySeeZones = useMay("zones.read");
  const [, , page = "", id = ""] = path.split("/");
  if (page === "channels") return id ? <ChannelPage key={id} id={id} /> : <ChannelsPage />;
  if (page === "forecast" && live) return <ForecastPage key={id} zone={id} />;
  if (page === "conflicts") return <ConflictsPage />;
  if (page === "shared") return <SharedPage />;
  if (page === "quiet" && maySeeZones) return <QuietPage />;
  if (page === "feeds") return <FeedsPage />;
  if (page === "new") return <NewSchedulePage />;
  return page && !["forecast", "quiet"].includes(page) ? <SchedulePage key={page} id={page} /> : <SchedulesPage />;
}
