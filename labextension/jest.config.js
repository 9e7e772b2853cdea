const jupyterlab = require('@jupyterlab/testing/lib/jest-config');

// Jest leaves node_modules untransformed; these packages ship ES modules only.
const esModules = [
  '@codemirror',
  '@jupyter/',
  '@jupyterlab/',
  '@microsoft',
  '@xyflow',
  'd3-',
  'exenv-es6',
  'lib0',
  'nanoid',
  'vscode-ws-jsonrpc',
  'y-protocols',
  'y-websocket',
  'yjs'
].join('|');

module.exports = {
  ...jupyterlab(__dirname),
  automock: false,
  setupFilesAfterEnv: [
    ...(jupyterlab(__dirname).setupFilesAfterEnv ?? []),
    '<rootDir>/jest.setup.js'
  ],
  testTimeout: 60_000,
  testRegex: 'src/.*/.*.spec.ts[x]?$',
  transformIgnorePatterns: [`/node_modules/(?!${esModules}).+`]
};
