# The switch as a container image: one process, production dependencies only, not root.
# Everything it needs to know comes in through the environment (docs/reference/settings.md).

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY iso8583 iso8583
COPY hsm-sim hsm-sim
COPY src src
RUN npm run build
# SQL and Lua are read at run time, from where their sources are.
RUN mkdir assets && find src \( -name '*.sql' -o -name '*.lua' \) -exec cp --parents {} assets \;

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev --omit=optional

FROM node:24-slim
WORKDIR /app
# A container's loopback is nobody else's: it listens on every address it has. Start refuses a plain listener that others
# can reach until whoever deploys it allows that by name (ALLOW=plain-listeners).
ENV NODE_ENV=production \
    TERMINAL_LISTEN=0.0.0.0:9000 \
    HTTP_LISTEN=0.0.0.0:9080 \
    METRICS_LISTEN=0.0.0.0:9464
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/build build
COPY --from=build /app/assets ./
USER node
EXPOSE 9000 9080 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.HTTP_LISTEN.split(':').at(-1) + '/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Room for what the requests of some 50 ms leave behind: collected twice as rarely, a tenth less CPU.
CMD ["node", "--max-semi-space-size=32", "build/src/main.js"]
