const fs = require('fs');

const galata = require('@jupyterlab/galata/lib/playwright-config');

// The browser of the distribution, where there is one: nothing has to be downloaded.
const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(path =>
  fs.existsSync(path)
);

module.exports = {
  ...galata,
  use: {
    ...galata.use,
    video: 'off',
    launchOptions: chromium && {
      executablePath: chromium,
      args: [
        '--no-sandbox',
        '--disable-gpu',
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
    reuseExistingServer: !process.env.CI
  }
};
