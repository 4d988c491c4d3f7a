// The same objects as `require` gives, so that `instanceof` works if a program uses both.
import pretender from "../lib/index.js";

export const {
  startPretender,
  insert,
  modify,
  remove,
  PretenderError,
  StartError,
  ControlError,
  UnexpectedChangesError,
  version,
} = pretender;
