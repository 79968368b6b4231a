"""What people capture, and what becomes of it: the data behind the screenshots."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from enrichment.errors import EnrichmentError, InvalidOutput, KeyRefused, OutputCutOff, ProviderTimeout

BEANS = """\
The beans went in on Sunday, two rows along the south wall. Water them each evening until the first leaves show, \
and put the net up before the pigeons notice. Last year the slugs took half of them; copper tape around the bed \
helped more than anything else."""
VACUUM = """\
# Why index-only scans stopped

Vacuum keeps the visibility map fresh, and index-only scans need the visibility map. After the bulk load autovacuum \
had not run yet, so every scan went to the heap. A manual VACUUM brought the query from 900 ms back to 12 ms.

Next time: vacuum at the end of the load, and watch the heap fetches in the plan."""
TRAM = """\
https://example.org/cities/green-tracks

Grass between the rails of a tram keeps the street cool in summer, takes in rain and muffles the noise of the wheels. \
Cities that tried it report a few degrees less on hot days. Mowing costs more than gravel does; sedum needs less."""
BREAD = """\
Sourdough, third try: 450 g flour, 330 g water, 90 g starter, 9 g salt. Four hours of bulk fermentation were too long \
at 26 degrees in the kitchen. The crumb was even, the crust pale. Bake hotter next time, and longer with the lid on."""
LETTER = """\
Notes from the call with the housing office: the form for the heating subsidy must be there by the tenth. They need \
the last two bills and the rental contract. Ask for a receipt; the letter of last spring was lost on their side."""
CONTAINER = """\
A short history of the shipping container: before 1956 a ship was loaded piece by piece, and lay in port for a week. \
The steel box made loading a matter of hours. What it changed most was not speed but theft, insurance and paperwork."""
READY: Sequence[str] = (BEANS, VACUUM, TRAM, BREAD, LETTER, CONTAINER)

SLOW: Sequence[str] = (
    "Interview with the owner of the bicycle workshop. She began in 1994 with one stand in a garage.",
    "Everything that was said at the town hall about the bridge, from the tape.",
    "Chapter two, second draft, with the remarks from the margin.",
)

FAILING: Mapping[str, type[EnrichmentError]] = MappingProxyType(
    {
        "Minutes of the allotment meeting: the water bill doubled, and the shed needs a roof.": ProviderTimeout,
        "Translate this page for grandmother, but leave the recipe as it stands.": InvalidOutput,
        "Draft of the talk on leases and fencing tokens, with the slides that nobody will read.": ProviderTimeout,
        "List of all birds that were seen from the balcony since March, with dates.": OutputCutOff,
        "Why the lift in the north building stops between the floors: what the technician said.": KeyRefused,
        "Quotes from the book on slow roads, copied by hand.": ProviderTimeout,
        "Meter readings of the whole house, January to June.": InvalidOutput,
        "Three offers for the new windows, compared.": KeyRefused,
        "What to ask the doctor on Thursday.": ProviderTimeout,
        "Route for the walk over the two passes, with the huts that are open.": ProviderTimeout,
        "Answer to the reader who found the mistake in chapter four.": KeyRefused,
    }
)
