/** Starts the program in the page. */

import "./styles"; // before every component, whose own rules come after these
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { restore } from "./session/session";
import { theme } from "./theme";

void restore();
const root = document.getElementById("root");
if (!root) throw new Error("the page has no #root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <App />
      <Notifications position="top-center" limit={3} containerWidth={460} />
    </MantineProvider>
  </StrictMode>,
);
