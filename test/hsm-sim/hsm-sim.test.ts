/** One process for them all: each test file of its own costs a second of start. */
import './protocol.cases.ts';
import './vectors.cases.ts';
