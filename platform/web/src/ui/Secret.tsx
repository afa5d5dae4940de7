/** A text that is shown once: to be copied, or written down. */

import { Button } from "@mantine/core";
import { useState } from "react";
import css from "./Page.module.css";

interface Props {
  name: string;
  text: string;
  lead: string;
}

/** Copies where the browser lets a page do that (HTTPS, or this very machine). */
export function Secret({ name, text, lead }: Props) {
  const [copied, setCopied] = useState<"" | "copied" | "failed">("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied("copied");
    } catch {
      setCopied("failed");
    }
  };
  return (
    <div className={css.form}>
      <p className={css.lead}>{lead}</p>
      <pre className={css.secret} aria-label={name} role="group" tabIndex={0}>
        {text}
      </pre>
      <Button variant="default" onClick={() => void copy()}>
        Copy
      </Button>
      <p role="status" className={css.lead}>
        {copied === "copied" && "Copied."}
        {copied === "failed" && "The browser does not let this page copy: select the text above."}
      </p>
    </div>
  );
}
