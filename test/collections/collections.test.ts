import './churn-map.cases.ts';
import './number-map.cases.ts';
import './text-heap.cases.ts';
