/** One process for them all: each test file of its own costs a second of start. */
import './mux.cases.ts';
import './link-logic.cases.ts';
