/** Commands of the model registry, by which other features call it too. */
export const OPEN_LIST_COMMAND = 'bottega:open-models';
export const OPEN_COMMAND = 'bottega:open-model-group';
export const REGISTER_COMMAND = 'bottega:register-model';
