/** Starts the program in the page. */

import "./styles"; // before every component, whose own rules come after these
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { asProblem } from "./api/problem";
import { App } from "./App";
import { theme } from "./theme";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 60_000,
      retry: (failures, error) => {
        const { status } = asProblem(error);
        return failures < 3 && (status === 0 || status >= 500);
      },
    },
    mutations: { retry: false, networkMode: "always" },
  },
});

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
      <QueryClientProvider client={queries}>
        <App />
      </QueryClientProvider>
      <Notifications position="top-center" limit={3} containerWidth={460} />
    </MantineProvider>
  </StrictMode>,
);
