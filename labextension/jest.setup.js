const { configure } = require('@testing-library/dom');

// A machine may be busy: a test waits long for what it expects.
configure({ asyncUtilTimeout: 20_000 });

// What JupyterLab's own shims leave without a use for our tests.

// The shims stand in for ranges; jsdom has whole ones, which user-event needs.
delete window.document.createRange;

// jsdom lays nothing out: whatever scrolls has this size, so that some rows are in sight.
Object.defineProperty(HTMLElement.prototype, 'clientHeight', {
  configurable: true,
  value: 320
});
Object.defineProperty(HTMLElement.prototype, 'clientWidth', {
  configurable: true,
  value: 640
});
