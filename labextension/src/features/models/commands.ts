/** Commands of the model registry. */
export const OPEN_LIST_COMMAND = 'bottega:open-models';
export const OPEN_COMMAND = 'bottega:open-model-group';
