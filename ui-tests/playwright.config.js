const fs = require('fs');

const galata = require('@jupyterlab/galata/lib/playwright-config');

// The browser of the distribution, where there is one: nothing has to be downloaded.
const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(path =>
  fs.existsSync(path)
);

module.exports = {
  ...galata,
  // One studio stands behind all tests, and a test may kill it.
  workers: 1,
  reporter: [['list'], ['html', { open: 'never' }]],
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  use: {
    ...galata.use,
    video: 'off',
    trace: 'retain-on-failure',
    viewport: { width: 1280, height: 800 },
    launchOptions: chromium && {
      executablePath: chromium,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        // WebGL without a graphics card, for the charts that need it.
        '--enable-unsafe-swiftshader',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync'
      ]
    }
  },
  webServer: {
    command: 'jlpm start',
    url: 'http://localhost:8888/lab',
    timeout: 120 * 1000,
    // So that the server can end the studio that it started.
    gracefulShutdown: { signal: 'SIGTERM', timeout: 20_000 },
    reuseExistingServer: !process.env.CI
  }
};
