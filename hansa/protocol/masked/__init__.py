"""Privacy mode `masked`: members open the sum of a cycle's updates, and nobody an update.

A trainer adds to its words one stream for each set of m − t + 1 seats, from a seed that the set's members alone can
read. t − 1 members miss a set, so a stream of every trainer; whatever t − 1 members do, every set has an honest one,
who can tell what its streams come to. Secret sharing by replication: Ito, Saito and Nishizeki 1989, "Secret Sharing
Scheme Realizing General Access Structure"; masks from it: Cramer, Damgård and Ishai 2005, "Share Conversion,
Pseudorandom Secret-Sharing and Applications to Secure Computation".
"""
