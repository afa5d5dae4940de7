/** A recorder for as long as a component is shown. */

import { useEffect, useState, useSyncExternalStore } from "react";
import { Recorder, type Recording } from "./recorder";

/** What is recorded leaves with the component. */
export function useRecorder(): { recorder: Recorder; recording: Recording } {
  const [recorder] = useState(() => new Recorder());
  const recording = useSyncExternalStore(recorder.subscribe, recorder.getState);
  useEffect(() => () => recorder.close(), [recorder]);
  return { recorder, recording };
}
