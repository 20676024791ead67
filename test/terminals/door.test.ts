/** One process for them all: each test file of its own costs a second of start. */
import './cup-pos.cases.ts';
import './session.cases.ts';
import './listener.cases.ts';
