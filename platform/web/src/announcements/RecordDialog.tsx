/** An announcement spoken into this device's microphone: recorded, heard, and sent. */

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, body } from "../api/client";
import { duration, spokenDuration } from "../format";
import { RATE } from "../live/clock";
import { LevelMeter } from "../recording/LevelMeter";
import { LONGEST, type Recorder, type Recording } from "../recording/recorder";
import { useRecorder } from "../recording/useRecorder";
import { silence } from "../sound/preview";
import { PreviewButton } from "../sound/PreviewButton";
import { Dialog } from "../ui/Dialog";
import { Failure } from "../ui/Failure";
import { MicrophoneIcon, StopIcon } from "../ui/icons";
import { tellDone } from "../ui/notify";
import css from "../ui/Page.module.css";
import { follow } from "../uploads/queue";
import style from "./RecordDialog.module.css";
import { ShelfFields } from "./ShelfFields";

interface Props {
  /** The folder that is looked at. */
  inside: string;
  onClose: () => void;
}

/** Nothing leaves this device before its person has heard it and pressed the button. */
export function RecordDialog({ inside, onClose }: Props) {
  const { recorder, recording } = useRecorder();
  const [title, setTitle] = useState("");
  const [folder, setFolder] = useState(inside);
  const [asking, setAsking] = useState(false);
  const recorded = recording.phase === "recorded" ? recording : null;
  const something = recorded !== null || recording.phase === "recording";
  const source = recorded?.source ?? "";
  useEffect(() => () => silence(source || undefined), [source]);
  useLeaving(something);
  const send = useMutation({
    mutationFn: async (file: File) => {
      const form = new FormData();
      form.append("title", title.trim());
      form.append("folder_id", folder);
      form.append("file", file); // last: fields before it say what it is
      return body(
        await api.POST("/api/v1/announcements/recording/", {
          body: { file: file.name },
          bodySerializer: () => form,
        }),
      );
    },
    onSuccess: (sent) => {
      follow(sent, title.trim());
      tellDone("The recording was sent", "It is listened to and measured, then it can be played.");
      onClose();
    },
  });
  return (
    <Dialog
      title="Record an announcement"
      opened
      onClose={() => (something ? setAsking(!asking) : onClose())}
    >
      <form
        className={css.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (recorded) send.mutate(recorded.file);
        }}
      >
        <Failure title="The recording was not sent" error={send.error} />
        <Booth recorder={recorder} recording={recording} title={title.trim()} />
        <ShelfFields
          title={title}
          folder={folder}
          hint="Left empty, it is called recording."
          onTitle={setTitle}
          onFolder={setFolder}
        />
        {asking ? (
          <div
            key="asking"
            className={css.actions}
            role="group"
            aria-label="Discard the recording?"
          >
            <p role="alert">It has not been sent, and it is kept nowhere else.</p>
            <Button variant="default" autoFocus onClick={() => setAsking(false)}>
              Keep it
            </Button>
            <Button color="red" onClick={onClose}>
              Discard it
            </Button>
          </div>
        ) : (
          <div className={css.actions}>
            {recorded && (
              <Button variant="default" disabled={send.isPending} onClick={() => recorder.close()}>
                Discard
              </Button>
            )}
            <Button type="submit" loading={send.isPending} disabled={!recorded}>
              Send the recording
            </Button>
          </div>
        )}
      </form>
    </Dialog>
  );
}

interface BoothProps {
  recorder: Recorder;
  recording: Recording;
  title: string;
}

/** The button of the state that the recorder is in; each takes the keyboard from the one before. */
function Booth({ recorder, recording, title }: BoothProps) {
  switch (recording.phase) {
    case "recording":
      return (
        <div key={recording.phase} className={style.booth}>
          <p role="status" className={style.state}>
            Recording <Elapsed since={recording.since} />
          </p>
          <LevelMeter read={recorder.level} />
          <Button
            size="lg"
            color="red"
            leftSection={<StopIcon />}
            autoFocus
            onClick={() => recorder.stop()}
          >
            Stop
          </Button>
        </div>
      );
    case "recorded":
      return (
        <div key={recording.phase} className={style.booth}>
          <p role="status" className={style.heard}>
            <PreviewButton source={recording.source} name={title || "the recording"} autoFocus />
            <span>
              {spokenDuration((recording.millis / 1000) * RATE)} recorded.
              {recording.ended === "longest" && " That is as long as one may be."}
              {recording.ended === "lost" && " The microphone went away, so it ended there."}
            </span>
          </p>
          <Button variant="default" onClick={() => void recorder.start()}>
            Record again
          </Button>
        </div>
      );
    default:
      return (
        <div key="idle" className={style.booth}>
          {recording.phase === "failed" ? (
            <div role="alert" className={style.trouble}>
              <h3>{recording.trouble.title}</h3>
              <p>{recording.trouble.advice}</p>
            </div>
          ) : (
            <p className={css.lead} role="status">
              {recording.phase === "asking"
                ? "The browser asks whether this page may use the microphone."
                : `Press the button and speak, for ${Math.round(LONGEST / 60_000)} minutes at most. Nothing is sent before you have heard it.`}
            </p>
          )}
          <Button
            size="lg"
            leftSection={<MicrophoneIcon />}
            loading={recording.phase === "asking"}
            autoFocus
            onClick={() => void recorder.start()}
          >
            {recording.phase === "failed" ? "Try the microphone again" : "Start recording"}
          </Button>
        </div>
      );
  }
}

function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(since);
  useEffect(() => {
    const tick = window.setInterval(() => setNow(performance.now()), 250);
    return () => window.clearInterval(tick);
  }, []);
  return (
    <span role="timer" aria-live="off">
      {duration(((now - since) / 1000) * RATE)}
    </span>
  );
}

/** The browser asks once more before something is lost with the window. */
function useLeaving(something: boolean): void {
  useEffect(() => {
    if (!something) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [something]);
}
