//! The networks of Cireşan, Meier and Schmidhuber (2012): notation, shapes, parameters and the Engine trait
