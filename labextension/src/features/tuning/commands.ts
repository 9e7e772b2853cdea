/** Commands of tuning. */
export const OPEN_LIST_COMMAND = 'bottega:open-tunings';
export const OPEN_COMMAND = 'bottega:open-tuning';
export const STOP_COMMAND = 'bottega:stop-tuning';

/** The form that starts a tuning job; it is the training form's. */
export const TUNE_COMMAND = 'bottega:tune';
