/** A payment HSM in software: payShield host commands over TCP, keys under an LMK. See README.md. */
export { type FormKeyRequest, formKey } from './form-key.ts';
export { type Lmk, newLmkFile, publicTestLmkCheckValue, readLmkFile, testLmk } from './lmk.ts';
export { type HsmSim, type HsmSimOptions, startHsmSim } from './server.ts';
