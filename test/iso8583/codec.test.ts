/** One process for them all: each test file of its own costs a second of start. */
import './dialects.cases.ts';
import './encodings.cases.ts';
import './framing.cases.ts';
import './headers.cases.ts';
import './headers-properties.cases.ts';
import './mask.cases.ts';
import './pack.cases.ts';
import './parts.cases.ts';
import './reference.cases.ts';
import './samples.cases.ts';
import './spec.cases.ts';
import './spec-check.cases.ts';
import './spec-check-fields.cases.ts';
import './spec-check-messages.cases.ts';
import './spec-check-parts.cases.ts';
import './splitter.cases.ts';
