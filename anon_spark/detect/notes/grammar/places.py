"""Made-up hospitals and employers, and towns and countries that exist."""

import random

from anon_spark.detect.notes.grammar import numbers
from anon_spark.detect.notes.grammar.people import (
    LOCALES,
    TEST,
    TRAIN,
    TUNE,
    _coined,
    _listed,
    _maker,
    draw_person,
    part_of,
)

STATES = {
    "AL": "Alabama", "AZ": "Arizona", "CA": "California", "CO": "Colorado", "CT": "Connecticut", "DC": "District of Columbia",
    "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas",
    "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan",
    "MN": "Minnesota", "MO": "Missouri", "MS": "Mississippi", "MT": "Montana", "NC": "North Carolina", "NE": "Nebraska",
    "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NV": "Nevada", "NY": "New York", "OH": "Ohio",
    "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "RI": "Rhode Island", "SC": "South Carolina", "TN": "Tennessee",
    "TX": "Texas", "UT": "Utah", "VA": "Virginia", "VT": "Vermont", "WA": "Washington", "WI": "Wisconsin", "WV": "West Virginia",
}  # fmt: skip
COUNTRIES = (
    "Mexico; Brazil; Portugal; Italy; Ireland; Poland; Russia; Ukraine; China; Japan; South Korea; Vietnam; Cambodia; India; "
    "Pakistan; Bangladesh; Iran; Iraq; Syria; Egypt; Ethiopia; Somalia; Nigeria; Ghana; Kenya; Haiti; Jamaica; Cuba; Puerto Rico; "
    "Dominican Republic; Guatemala; El Salvador; Colombia; Peru; Ecuador; Germany; France; Spain; Greece; Turkey; Albania; "
    "Cape Verde; the Philippines; Thailand; Canada; England; Scotland; the UK; the United States; USA; Lebanon; Israel; Armenia"
).split("; ")
TWO_WORDS = (
    "New York; San Antonio; Los Angeles; San Diego; St. Louis; New Bedford; Fall River; Santa Fe; Las Vegas; Baton Rouge; El Paso; "
    "Fort Worth; Salt Lake City; West Roxbury; Jamaica Plain; North Andover; South Boston; Palo Alto; New Haven; Hong Kong; "
    "Rio de Janeiro; Mexico City; Sao Paulo; Cape Town; Kuala Lumpur; Grand Rapids; Long Beach; Des Moines; Cedar Rapids"
).split("; ")
SAINTS = "Mary Joseph Luke Vincent Anne Elizabeth Francis Jude Michael Agnes Clare Anthony Raphael Camillus".split()
HOSPITALS = {
    TRAIN: (
        "{town} Hospital", "{town} General Hospital", "{town} Medical Center", "{last} Memorial Hospital", "St. {saint}'s Hospital",
        "St. {saint} Medical Center", "{town} General", "{town} Community Hospital", "University of {state} Medical Center",
        "{last} Clinic", "{tree} {geo} Health Center", "VA {town}", "{town} VA", "Saint {saint}'s", "{initials}", "{initials}",
        "{town} Eye and Ear Infirmary", "{last} Cancer Institute", "{town} Children's Hospital", "Mt. {tree} Hospital", "{town}",
        "{last}-{last2} Hospital", "{town} Family Medicine", "{last} Medical Associates", "{state} General Hospital",
        "{faith} Hospital", "{faith} Medical Center", "{faith} of {town}", "{town} {faith} Hospital", "Children's Hospital of {town}",
        "{town} VAMC", "Veterans Affairs Medical Center", "{town} Valley Hospital", "{last} and {last2} Hospital", "{last} Pavilion",
        "{faith}", "{initials} {town}", "{initials} {tree} Campus", "{town} County Hospital", "{geo}view Hospital", "{last} Hospital",
        "{town} Health Alliance", "{tree}wood Urgent Care", "{town} Orthopedic Clinic", "{last} Women's Center", "{town} Med Ctr",
        "{compound} Hospital", "{compound} Medical Center", "{compound} Community Hospital", "{compound} General", "{compound} Clinic",
        "{compound} Family Health", "{compound} Regional Medical Center", "{compound} Health", "{saint} Health System", "St. {saint}'s",
        "{compound} Pediatrics", "{compound} Internal Medicine", "{last} Dermatology", "{town} Cardiology Associates", "{compound} Imaging",
        "{real}", "{real}", "{real}", "{real}", "{compound} Behavioral Health", "{town} Dialysis", "{last} Oncology Group", "{town} Urgent Care",
        "{town} Hosp", "{town} Gen'l", "{initials} ED", "{initials}-{town}", "{tree} Family Practice", "{last} Surgery Center",
    ),
    TUNE: (
        "{town} Regional Hospital", "{town} District Hospital", "Our Lady of {geo} Medical Centre", "{last} University Hospital",
        "{town} Health System", "Royal {town} Infirmary", "{town} Surgical Center", "{last} Heart Institute", "Klinikum {town}",
        "{town} Hospital", "{town} Medical Center", "{last} Memorial", "{initials}",
    ),
    TEST: (
        "{town} Hospital", "{town} Medical Center", "{town} Doctors Hospital", "{last} Community Hospital", "{initials}",
        "{town} Spine Institute", "{geo} Health Campus", "{state} Heart Hospital", "{last} Eye Clinic", "{town} Mercy", "Mount {saint} Hospital",
    ),
}  # fmt: skip
HOMES = {
    TRAIN: (
        "{tree} Manor", "{tree} {geo} Nursing Home", "{last} House", "{town} Rehab", "{tree}wood Rehabilitation Center", "{last} Rehab",
        "{town} Rehabilitation & Nursing Center", "{tree} Village", "St. {saint}'s Home", "The {last} Center", "{tree} Hill SNF",
        "{tree}crest", "{last} Assisted Living", "{town} Health Care Center", "{geo} at {town}", "{tree} Terrace", "{town} LTAC",
        "{compound} Nursing Home", "{compound} Manor", "{compound}", "{compound} Rehab", "{compound} Senior Living", "{compound} Care Center",
        "Sunrise of {town}", "{compound} Estates", "{tree} Court", "{compound} Place", "{last} Adult Home", "The {compound}",
    ),
    TUNE: ("{tree} Commons", "{last} Care Home", "{tree}view Nursing & Rehab", "{town} Convalescent Home", "{geo} Lodge"),
    TEST: ("{tree} Gardens", "{last} Hospice House", "{town} Skilled Nursing", "{tree} {geo} Memory Care", "The Residence at {town}"),
}  # fmt: skip
ORGS = {
    TRAIN: (
        "{last} Inc.", "{last} & Sons", "{last}, {last2} and Co", "{town} High School", "{last} Industries", "{town} Public Schools",
        "{tree} Street Bakery", "{last} Construction", "University of {state}", "{last} Group", "{town} Fire Department", "{last}-{last2}",
        "{tree} Technologies", "{last}'s Diner", "{town} Police Department", "Bank of {town}", "{last} LLC", "{tree} Ambulance",
        "{last} Brothers", "{coined} Corp", "{coined}", "{last} Pharmacy", "{tree} Home Care", "{town} Fabricating", "{last} Ltd",
        "{town} Chronicle", "{last} Insurance", "{tree} Realty", "{town} Public Library", "{last} Trucking", "{town} Country Club",
        "{faith} Church", "{town} Unified School District", "{last} Motors", "{last} Hardware", "{town} Senior Center", "{state} DOT",
        "{town} Gazette", "{last}'s Market", "VNA of {town}", "{town} EMS", "{coined} Home Health", "{last} Medical Supply",
        "{last} {trade}", "{town} {trade}", "{tree} {trade}", "{compound} {trade}", "{coined} {trade}", "{last} and {last2}", "{last} {trade}",
        "{company}", "{company}", "{company}", "{compound} {trade}", "{town} {trade} Co.", "{last} {trade} Inc.", "{last}, {last2} & {last}",
    ),
    TUNE: (
        "{last} Logistics", "{town} Shipyard", "{last} Partners", "{coined} Foods", "{last} and Daughters", "{town} Transit Authority",
        "{tree} Farms", "{last} Law Offices", "{town} City Hall", "{last} Inc", "{coined} Systems", "{last} PLC", "{last} Drugs",
    ),
    TEST: (
        "{last} Plumbing", "{town} Airport", "{coined} Genomics", "{last} Catering", "{town} Waterworks", "{tree} Medical Transport",
        "{last} Elementary", "{coined} Labs", "{last} Apothecary", "{town} Daily News", "{last} Inc.", "{last} & Co", "{town} Steel",
    ),
}  # fmt: skip
TRADES = (
    "Abstract & Title; Accounting; Adhesives; Advertising; Aerospace; Aggregates; Air Conditioning; Airlines; Alarm; "
    "Aluminum; Ambulance Service; Analytics; Animal Clinic; Animal Shelter; Antiques; Apparel; Appliance; Aquarium; "
    "Arcade; Architects; Art Supply; Arts Center; Asphalt; Asset Management; Athletic Club; Auctions; Audio; Auto Body; "
    "Auto Parts; Automation; Automotive; Aviation; Awnings; Bakery; Ballet; Bar & Grill; Barber Shop; Basketball; "
    "Batteries; BBQ; Beauty Supply; Bedding; Beverage; Bicycles; Billiards; Biotech; Blinds; Boat Works; Boats; Bookstore; "
    "Bottling; Bowling Alley; Box Company; Boxing Gym; Brass; Brewery; Brick; Broadcasting; Brokerage; Buffet; Builders; "
    "Building Supply; Bus Lines; Business Machines; Butchers; Cab Company; Cabinets; Cable; Cafe; Camp; Candles; Candy; "
    "Canning Company; Capital; Cards & Gifts; Career Center; Carpentry; Cars; Casino; Castings; Cement; Ceramics; "
    "Charter School; Cheese; Chemicals; Chevrolet; Chicken; Child Care; Chiropractic; Chocolates; Cinema; Cleaners; "
    "Cleaning Services; Clothing; Coatings; Coffee; Cold Storage; Collision; Comics; Communications; Computers; Concrete; "
    "Confectionery; Construction Group; Consulting; Container; Contracting; Controls; Convenience; Cookies; "
    "Correctional Facility; Correctional Institution; Cosmetics; Country Store; Courier; Courthouse; Creamery; "
    "Credit Union; Cruises; Custom Homes; Cycles; Dairy; Dance Academy; Data; Day Camp; Day Care; Deli; Demolition; "
    "Dental; Department Store; Design; Detailing; Development Corp; Diagnostics; Die Casting; Digital; Dispatch; "
    "Distillery; Distribution; Donuts; Driving School; Drug Store; Dry Cleaning; Dye Works; Electric; Electronics; "
    "Elevator; Embroidery; Employment; Energy; Engineering; Entertainment; Environmental; Equipment; Estate Sales; Events; "
    "Excavating; Exports; Express; Fabrics; Family Restaurant; Farm Supply; Fasteners; Feed & Seed; Fence; Fiberglass; "
    "Films; Finance; Fine Jewelry; Fire & Rescue; Fireplace; Fisheries; Fitness; Fixtures; Flooring; Florist; Florists; "
    "Forge; Forwarding; Foundation; Foundry; Framing; Freight; Frozen Desserts; Fuel; Funeral Home; Furniture; Games; "
    "Garage; Garments; Gas; Generators; Glass; Gloves; Golf Club; Granite; Graphics; Gravel; Greenhouse; Greenhouses; "
    "Grill; Grocery; Gun Club; Gym; Hair Studio; Hatchery; Hauling; Health Foods; Hearing Aids; Heating & Air; "
    "Heating Oil; Heavy Equipment; High; Historical Society; Hobby; Hockey; Holdings; Holdings Group; Home Builders; "
    "Home Furnishings; Home Improvement; Horse Farm; Hosiery; Hostel; Hotel; Housewares; Housing Authority; Hydraulics; "
    "Ice Cream; Ice Rink; Immigration Center; Imports; Industrial Supply; Ink; Inn; Innovations; Instruments; Insulation; "
    "Interiors; Investments; Ironworks; Irrigation; Jail; Janitorial; Jazz Club; Jewelers; Job Corps; Karate; Kennels; "
    "Kindergarten; Kitchens; Knitting Mills; Lamps; Landscaping; Laundry; Lawn Care; Learning Center; Leasing; Leather; "
    "Legal Aid; Lighting; Limousine; Linen Service; Liquors; Little League; Loan; Locksmith; Lodge; Lounge; Lumber; "
    "Machine; Machine Works; Magazine; Mailing; Management; Manufacturing; Marina; Market; Marketing; Masonry; Materials; "
    "Mattress; Meat Packing; Meats; Mechanical; Media; Memorial Park; Metal Fabricators; Metals; Microsystems; "
    "Middle School; Milling; Mills; Minerals; Mining; Mission; Mobile Homes; Model Agency; Montessori; Mortgage; Motel; "
    "Motor Lodge; Motorcycles; Moving; Moving & Storage; Museum; Music; Mutual; Nail Salon; Natural Gas; Newspapers; "
    "Noodle House; Nursery; Office Supply; Oil; Opera; Optical; Optometry; Orchards; Outdoors; Outfitters; Oyster Bar; "
    "Packaging; Paint; Painting; Paper; Parking; Parks & Recreation; Pastries; Paving; Pawn; Pest Control; Pet Supply; "
    "Petroleum; Pharmaceuticals; Pharmacy Group; Photography; Piano; Pipe; Pizza; Plastics; Plating; Playhouse; "
    "Police Academy; Polymers; Pools; Porcelain; Port Authority; Post Office; Poultry; Power & Light; Precision; Prep; "
    "Preschool; Press; Pretzels; Printing; Prison; Produce; Products; Promotions; Properties; Property Management; "
    "Public Works; Publishing; Pump; Quarry; Radio; Railroad; Ranch; Real Estate; Records; Recycling; Redi-Mix; Refinery; "
    "Refrigeration; Rentals; Research; Resort; Restaurant; Retirement Fund; Ribs; Rice; Robotics; Roofing; Rubber; "
    "Rugby Club; Saddlery; Salon; Sanitation; Sausage; Savings Bank; Sawmill; School District; School of Nursing; "
    "Scrap Metal; Screen Printing; Seafood; Securities; Security; Seed; Self Storage; Senior Apartments; Septic; "
    "Service Station; Sewing; Sheet Metal; Shipping; Shoes; Shuttle; Siding; Signs; Ski Resort; Soap; Soccer Club; Soda; "
    "Software; Solar; Solutions; Spa; Spirits; Sports; Springs; Stables; Stadium; Staffing; Station; Stationery; Stone; "
    "Storage; Studios; Sugar; Supermarket; Sushi; Swim School; Symphony; Tailors; Tavern; Tax Service; Taxi; Tea; "
    "Technical Institute; Technology; Telecom; Telephone; Temple; Tennis Club; Textiles; Theater; Theatre Company; Thrift; "
    "Tile; Timber; Tires; Title Insurance; Tobacco; Tool; Tours; Towing; Toys; Tractor; Trading; Trailers; Training; "
    "Transmission; Travel; Tree Service; Truck Stop; Trust; Tube; Turf; TV; Typewriter; Uniforms; University Press; "
    "Upholstery; Used Cars; Utilities; Vacuum; Vending; Ventures; Veterinary; Video; Vineyards; Vocational; Wallpaper; "
    "Warehouse; Waste; Watch Repair; Water Company; Water District; Welding; Well Drilling; Wholesale; Windows; Wine; "
    "Wire; Wireless; Wood Products; Woodworking; Woodworks; Wool; Works; Wrecking; Wrestling; YMCA; Yoga; Youth Center; "
    "Zoo"
).split("; ")
COMPANIES = (
    "Walmart; Target; Costco; Home Depot; Lowe's; UPS; FedEx; Amazon; Boeing; Ford; General Motors; Verizon; AT&T; Bank of America; "
    "Wells Fargo; State Farm; Starbucks; McDonald's; Microsoft; Google; Apple; Intel; IBM; General Electric; Raytheon; Lockheed Martin; "
    "Macy's; Kroger; Safeway; Publix; Stop & Shop; Whole Foods; Trader Joe's; CVS; Walgreens; Rite Aid; Chase; Citibank; Fidelity; Comcast; "
    "Delta Air Lines; Southwest Airlines; Marriott; Hilton; Tesla; Toyota; Honda; Caterpillar; John Deere; 3M; Dow Chemical; Exxon; Shell; "
    "Dunkin Donuts; Burger King; Best Buy; Sears; IKEA; Tyson; PepsiCo; Coca-Cola; Nike; Gap; Staples; Liberty Mutual; Allstate; Geico"
).split("; ")
REAL_HOSPITALS = (
    "Mass General; MGH; Massachusetts General Hospital; Brigham and Women's; BWH; BIDMC; Mayo Clinic; Cleveland Clinic; Johns Hopkins; "
    "Cedars-Sinai; Kaiser Permanente; Mount Sinai; NYU Langone; UCLA; UCSF; Stanford; Duke; Emory; Vanderbilt; Northwestern; Rush; Tufts; "
    "Children's Hospital; Boston Medical Center; Dana-Farber; MD Anderson; Memorial Sloan Kettering; Barnes-Jewish; Scripps; Baylor; "
    "Bellevue; Lahey Clinic; Mass Eye and Ear; Spaulding; Newton-Wellesley; Penn Presbyterian; Hahnemann; Geisinger; Intermountain; "
    "Northwell; Montefiore; St. Elizabeth's; Hartford Hospital; Yale New Haven; Maine Medical Center; UPMC; UMass Memorial; the VA; "
    "VA Medical Center; Beth Israel; Sentara; Ochsner; Swedish; Virginia Mason; Banner Health; Scott & White; Sharp Grossmont"
).split("; ")
COMPOUND = (
    (
        "Lake River Spring Oak Maple Pine Cedar Sun North South East West Green Brook Clear Fair Harbor Hill Mountain Bay Ocean Wood Stone "
        "Glen Elm Ash Birch Willow Rose Brad Kings Queens Ham Winter Summer Sand Rock Silver Golden Crystal Eagle Fox Deer"
    ).split(),
    "view side wood dale field brook ridge haven crest point port ton ville land mont shore ford bury ham water stone ley".split(),
)
SCHOOLS = (
    "{town} College",
    "{last} Elementary School",
    "{town} Community College",
    "{state} State University",
)
FAITHS = (
    "Sacred Heart; Good Samaritan; Holy Cross; Presbyterian; Baptist; Methodist; Mercy; Providence; Bethesda; Beth Israel; Mount Sinai; "
    "Trinity; Sisters of Charity; Deaconess; Holy Family; Immaculate Conception; Grace; Redeemer; Shriners; Northside; Eastern; Unity"
).split("; ")
NO_ADDRESSES = {
    "ja_JP",
    "zh_CN",
    "yo_NG",
    "en_PK",
    "en_KE",
    "zu_ZA",
    "en_US",
    "tw_GH",
    "sw",
}  # not in Latin letters, or none
GEOGRAPHY = "Hill Valley Park Ridge River Lake Brook Point Grove Harbor Meadow Mercy Hope Grace".split()


class PlaceMaker:
    """Places of one note."""

    def __init__(self, draw: random.Random, part: str) -> None:
        self._draw, self._part = draw, part
        abroad = [locale for locale in LOCALES[part] if locale not in NO_ADDRESSES]
        self._abroad = draw.choice(abroad) if draw.random() < 0.35 else None
        self.kinds = {
            "hospital",
            "org",
            "school",
            "city",
            "state",
            "st",
            "country",
            "zip",
            "street",
            "place",
            "place1",
        }

    def fill(self, kind: str, form: str) -> tuple[str, str]:
        """Words and label of a place."""
        draw = self._draw
        if kind == "hospital":
            return self._named(draw.choice((HOMES if form == "snf" else HOSPITALS)[self._part])), "HOSPITAL"
        if kind in ("org", "school"):
            return self._named(draw.choice(SCHOOLS if kind == "school" else ORGS[self._part])), "ORGANIZATION"
        if kind == "street":
            return self._street(form), "ADDRESS"
        if kind == "zip" and self._abroad and draw.random() < 0.8:
            return str(_maker(self._abroad).postcode()), "ZIP"
        if kind == "zip":
            code = numbers.numerify(
                draw,
                draw.choices(("0####", "#####", "#####-####", "@@# #@@", "@# #@@"), (40, 40, 10, 5, 3))[0],
            )
            return code, "ZIP"
        if kind == "st":
            return draw.choice(list(STATES)), "LOCATION"
        if kind == "state":
            return draw.choice(list(STATES.values())), "LOCATION"
        if kind == "country":
            return draw.choice(COUNTRIES), "LOCATION"
        if kind == "place1":
            return draw.choice(
                (draw.choice(COUNTRIES), f"{self._town()} County", draw.choice(list(STATES.values())))
            ), "LOCATION"
        if kind == "place" and draw.random() < 0.3:
            return self._named(draw.choice(HOMES[self._part])), "HOSPITAL"
        if kind == "place" and draw.random() < 0.4:
            return self._street(""), "ADDRESS"
        return self._town(), "LOCATION"

    def _street(self, form: str) -> str:
        draw = self._draw
        if self._abroad and draw.random() < 0.8:
            whole = str(_maker(self._abroad).street_address()).replace("\n", ", ")
            return str(_maker(self._abroad).street_name()) if form == "name" else whole
        words = numbers.street(draw, _maker("en_US"), self._last())
        return words.split(" ", 1)[1].split(" Apt")[0].split(",")[0] if form == "name" else words

    def _last(self) -> str:
        return draw_person(self._draw, self._part).last

    def _town(self) -> str:
        draw = self._draw
        if (
            self._abroad not in (None, "it_IT") and draw.random() < 0.6
        ):  # Faker's Italian towns are in no order
            return str(_maker(str(self._abroad)).city())
        if self._part == TRAIN and draw.random() < 0.12:
            return self._compound()
        if draw.random() < 0.15:
            return draw.choice(TWO_WORDS)
        if draw.random() < 0.25:
            return str(_maker("en_US").city())
        while True:
            town = draw.choice(_listed(draw.choice("ct"))).capitalize()
            if (part_of(town) == TRAIN) == (self._part == TRAIN):
                return town

    def _compound(self) -> str:
        """A place's name of two words in one, or apart: ``Brookhaven``, ``Cedar Ridge``."""
        first, second = self._draw.choice(COMPOUND[0]), self._draw.choice(COMPOUND[1])
        return first + second if self._draw.random() < 0.7 else f"{first} {second.capitalize()}"

    def _named(self, form: str) -> str:
        last = self._last()
        initials = "".join(
            self._draw.choice("BMGHCSWNLVAU") for _ in range(self._draw.choice((2, 3, 3)))
        ) + self._draw.choice("HC")
        return form.format(
            compound=self._compound(), trade=self._draw.choice(TRADES), company=self._draw.choice(COMPANIES), real=self._draw.choice(REAL_HOSPITALS),
            town=self._town(), last=last, last2=self._last(), saint=self._draw.choice(SAINTS), tree=self._draw.choice(numbers.TREES),
            geo=self._draw.choice(GEOGRAPHY), faith=self._draw.choice(FAITHS), state=self._draw.choice(list(STATES.values())), initials=initials,
            coined=_coined(self._draw, self._part),
        )  # fmt: skip
