/** One process for them all: each test file of its own costs a second of start. */
import './framing.cases.ts';
import './pack.cases.ts';
import './samples.cases.ts';
import './spec.cases.ts';
