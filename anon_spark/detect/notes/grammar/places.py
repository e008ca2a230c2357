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
MORE_COUNTRIES = (
    "Afghanistan; Algeria; Angola; Argentina; Aruba; Australia; Austria; Azerbaijan; the Bahamas; Bahrain; Barbados; Belarus; "
    "Belgium; Belize; Benin; Bermuda; Bhutan; Bolivia; Bosnia; Botswana; Bulgaria; Burkina Faso; Burma; Burundi; Cameroon; Chad; "
    "Chile; Congo; Costa Rica; Croatia; Curacao; Cyprus; the Czech Republic; Denmark; Dominica; Eritrea; Estonia; Fiji; Finland; "
    "Gambia; the Gambia; Georgia; Great Britain; Grenada; Guam; Guinea; Guyana; Honduras; Hungary; Iceland; Indonesia; "
    "Ivory Coast; Jordan; Kazakhstan; Korea; Kosovo; Kuwait; Laos; Latvia; Liberia; Libya; Lithuania; Luxembourg; Macedonia; "
    "Madagascar; Malawi; Malaysia; Mali; Malta; Martinique; Mauritania; Mauritius; Moldova; Mongolia; Montenegro; Morocco; "
    "Mozambique; Myanmar; Namibia; Nepal; the Netherlands; Holland; New Zealand; Nicaragua; Niger; Norway; Oman; Panama; "
    "Papua New Guinea; Paraguay; Qatar; Romania; Rwanda; Samoa; Saudi Arabia; Senegal; Serbia; Sierra Leone; Singapore; "
    "Slovakia; Slovenia; South Africa; South Sudan; Sri Lanka; St. Lucia; Sudan; Suriname; Sweden; Switzerland; Taiwan; "
    "Tajikistan; Tanzania; Tibet; Togo; Tonga; Trinidad; Trinidad and Tobago; Tunisia; Turkmenistan; the UAE; Dubai; Uganda; "
    "Uruguay; Uzbekistan; Venezuela; Wales; Yemen; Zambia; Zimbabwe; the former Yugoslavia; the Soviet Union; Northern Ireland; "
    "Sicily; Kashmir; Punjab; Kerala; Bavaria; Tuscany; Provence; the Azores; Crete; Okinawa; Bali; Patagonia; the West Bank; Gaza"
).split("; ")
REGIONS = (
    "Mass.; Conn.; N.H.; Calif.; Fla.; Ill.; Mich.; Minn.; Penn.; N.Y.; N.J.; R.I.; Wash.; Wisc.; Tex.; Ariz.; Okla.; Ala.; "
    "Ontario; Quebec; British Columbia; Alberta; Manitoba; Nova Scotia; Newfoundland; Saskatchewan; New South Wales; Queensland; "
    "Victoria; Tasmania; South Australia; Kent; Surrey; Essex; Yorkshire; Lancashire; Cornwall; Devon; Norfolk; Sussex; Cheshire; "
    "County Cork; County Mayo; Co. Clare; Fife; Gauteng; Western Cape; Maharashtra; Gujarat; Tamil Nadu; West Bengal; Lagos State; "
    "Long Island; Cape Cod; the Bronx; Staten Island; Orange County; the Bay Area; Northern Virginia; Upstate New York; "
    "Western Massachusetts; Southern California; the Upper Peninsula; the Florida Keys; Martha's Vineyard; Nantucket; Maui; Oahu"
).split("; ")
MORE_TOWNS = (
    "Hyde Park; Back Bay; Beacon Hill; Mission Hill; East Boston; South End; North End; Chestnut Hill; Fields Corner; Oak Park; "
    "Park Slope; Forest Hills; Flushing; Bay Ridge; East Harlem; Washington Heights; Capitol Hill; Silver Spring; College Park; "
    "Ann Arbor; Bowling Green; Coral Gables; Daytona Beach; West Palm Beach; Fort Lauderdale; St. Petersburg; St. Paul; St. Cloud; "
    "Little Rock; Hot Springs; Colorado Springs; Grand Junction; Sioux Falls; Rapid City; Kansas City; Oklahoma City; Green Bay; "
    "Eau Claire; La Crosse; Terre Haute; South Bend; Fort Wayne; Cuyahoga Falls; Niagara Falls; Saratoga Springs; White Plains; "
    "New Rochelle; New Brunswick; Cherry Hill; Atlantic City; Jersey City; Asbury Park; King of Prussia; State College; Chapel Hill; "
    "Winston-Salem; Rocky Mount; High Point; Myrtle Beach; Hilton Head; Rock Hill; Palm Springs; Santa Barbara; Santa Ana; "
    "Santa Rosa; San Jose; San Luis Obispo; Menlo Park; Redwood City; Daly City; Walnut Creek; Huntington Beach; Carson City; "
    "Idaho Falls; Coeur d'Alene; Twin Falls; Walla Walla; Port Angeles; Great Falls; Las Cruces; Corpus Christi; College Station; "
    "Round Rock; Wichita Falls; Lake Charles; Bay St. Louis; Cape Girardeau; Bar Harbor; Old Orchard Beach; White River Junction; "
    "North Adams; Great Barrington; West Springfield; East Longmeadow; North Attleboro; Fall City; Wellesley Hills; Newton Centre; "
    "Milton Keynes; Newcastle upon Tyne; Stoke-on-Trent; Stratford-upon-Avon; Bury St Edmunds; King's Lynn; Great Yarmouth; "
    "Tunbridge Wells; Leamington Spa; East Kilbride; Port Talbot; Dun Laoghaire; Alice Springs; Wagga Wagga; Gold Coast; "
    "Palmerston North; Port Elizabeth; East London; Port Harcourt; Addis Ababa; Dar es Salaam; New Delhi; Navi Mumbai; "
    "Quezon City; Cebu City; Ho Chi Minh City; Phnom Penh; Chiang Mai; Petaling Jaya; Tel Aviv; Abu Dhabi; San Salvador; "
    "Santo Domingo; San Juan; Port-au-Prince; Buenos Aires; Belo Horizonte; Porto Alegre; Santiago de Cuba; Tegucigalpa; "
    "Guadalajara; Monterrey; Ponta Delgada; Las Palmas; Aix-en-Provence; Frankfurt am Main; Den Haag; St. John's; Trois-Rivieres; "
    "Thunder Bay; Moose Jaw; Medicine Hat; Red Deer; Prince George; Sault Ste. Marie; Kitchener-Waterloo; Quebec City"
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
        "{town} General Infirmary", "{town} Hospital Center", "Hospital of St. {saint}", "{last} Children's", "{town} Baptist",
        "{town} Presbyterian", "{last} Institute for Rehabilitation", "{town} State Hospital", "{town} Osteopathic", "{compound} Med",
        "{town} Women's and Infants", "{town} Naval Hospital", "Fort {last} Army Hospital", "{last} Army Medical Center", "{real} {town}",
        "{town} Hand Center", "{town} Pain Clinic", "{last} Plastic Surgery", "{town} OB/GYN", "{town} Orthopaedics", "{last} Pediatrics",
        "{town} Walk-In Clinic", "{compound} Primary Care", "{town} Neighborhood Health Center", "{town} Health Centre", "{last} Surgery",
        "{town} Medical Practice", "{town} Polyclinic", "Hospital San {saint}", "Hospital Universitario de {town}", "Clinica {last}",
        "Hôpital {last}", "CHU {town}", "Policlinico {last}", "{town} Teaching Hospital", "{town} Mission Hospital", "{last} Nursing Home, {town}",
        "{faith} Hospice of {town}", "{town} Cottage Hospital", "{town} Children's", "{initials} West", "{initials}M", "the {town} General",
        "{last} Outpatient Center", "{town} Breast Center", "{town} Wound Center", "{compound} Detox", "{last} House of {town}", "{real}'s ED",
        "{faith} {geo} Hospital", "{state} Orthopedic Institute", "{last} Kidney Center", "{town} Infusion Center", "{tree}dale Clinic",
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
        "{company}", "{company}", "{company}", "{town} {company}", "{state} State Police", "{town} Sheriff's Office", "Fort {last}",
        "USS {last}", "St. {saint} Parish", "St. {saint}'s Church", "First {faith} Church of {town}", "Temple {faith}", "{town} Elks Lodge",
        "Boys & Girls Club of {town}", "{town} Little League", "{town} YMCA", "{town} Town Hall", "{town} DPW", "{town} Shelter",
        "{last} House", "City of {town}", "Town of {town}", "{town} County Jail", "{last} Correctional", "{town} Housing Authority",
        "{last} Farms", "{last} Ranch", "{tree} Lanes", "{town} Mills", "{last} Family Foundation", "{coined} Therapeutics", "{coined}Tech",
        "{last} Bros.", "{last}'s", "{last}'s Garage", "{town} Herald", "Radio {town}", "{town} United", "{town} Rotary Club", "{last} Estates",
        "{town} Historical Society", "{town} Food Bank", "{state} Department of Corrections", "{state} Lottery", "{last}/{last2} Realtors",
        "Law Office of {last} {last2}", "{last} Staffing", "{compound} Golf Club", "{compound} Ski Area", "{town} Symphony", "{last} & {last2} LLP",
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
MORE_COMPANIES = (
    "Albertsons; Aldi; Alcoa; American Airlines; American Express; Amtrak; Anheuser-Busch; Applebee's; Arby's; Aramark; Avis; "
    "AutoZone; BAE Systems; Barnes & Noble; Bechtel; Bed Bath & Beyond; Bell Canada; Berkshire Hathaway; Big Lots; Big Y; BJ's; "
    "Blue Bird; BMW; BNSF; Bosch; BP; British Airways; British Telecom; Budweiser; Cargill; CarMax; Cheesecake Factory; Chevron; "
    "Chick-fil-A; Chipotle; Chrysler; Cigna; Cisco; Cracker Barrel; Cub Foods; Cummins; Dell; Deloitte; Denny's; Disney; "
    "Dollar General; Dollar Tree; Domino's; Dow; DuPont; Eastman Kodak; eBay; Electric Boat; Enterprise; Ernst & Young; "
    "Family Dollar; Fiat; Food Lion; Foot Locker; Frito-Lay; GameStop; General Dynamics; Giant Eagle; Gillette; Goldman Sachs; "
    "Goodwill; Goodyear; Greyhound; Grumman; H-E-B; Habitat for Humanity; Hannaford; Harley-Davidson; Heinz; Hershey; Hertz; "
    "Hewlett-Packard; HSBC; Hy-Vee; Hyundai; IHOP; Infosys; International Harvester; JetBlue; Jiffy Lube; JPMorgan; Kellogg's; "
    "KFC; Kmart; Kohl's; KPMG; Kraft; L.L. Bean; Lidl; Little Caesars; Lyft; Market Basket; Marks & Spencer; Mars; MassMutual; "
    "Mattel; Maytag; Meijer; Menards; Merrill Lynch; MetLife; Michelin; Morgan Stanley; Motorola; NASA; Nestle; Netflix; "
    "Nissan; Nordstrom; Norfolk Southern; Northrop Grumman; Office Depot; Olive Garden; Oracle; Oscar Mayer; Panera; Perdue; "
    "Petco; PetSmart; Piggly Wiggly; Pizza Hut; Polaroid; Popeyes; Pratt & Whitney; Price Chopper; Prudential; Quest; "
    "Red Lobster; REI; Rolls-Royce; Ross; Ryanair; Saks; Sainsbury's; Salvation Army; Sam's Club; Samsung; ShopRite; Siemens; "
    "Smithfield; Sodexo; Sony; Sprint; Steak 'n Shake; Subway; T-Mobile; Taco Bell; Tata; Tesco; Texaco; TGI Fridays; Tim Hortons; "
    "TJ Maxx; Tops; Tractor Supply; Trader Joe's; Tupperware; Twitter; Tyson Foods; U-Haul; Uber; Union Pacific; United Airlines; "
    "US Steel; USPS; Volkswagen; Volvo; Waffle House; Wegmans; Wendy's; Westinghouse; Weyerhaeuser; Whirlpool; Winn-Dixie; Wipro; "
    "Xerox; Zara; the Post Office; the MBTA; the MTA; the Port Authority; Con Edison; PG&E; National Grid; Eversource; Amgen; "
    "Genentech; Biogen; Pfizer; Merck; the Teamsters; the UAW; the VFW; the Elks; the Rotary; the Kiwanis; the Salvation Army; "
    "the Red Cross; Catholic Charities; Meals on Wheels; Head Start; Boy Scouts; Girl Scouts; Kiwanis; Planet Fitness; Equinox; "
    "Harvard; MIT; Boston University; Boston College; Northeastern; Tufts University; Brown; Yale; Princeton; Columbia; NYU; "
    "Cornell; Dartmouth; Penn State; Ohio State; Rutgers; Syracuse; Villanova; Georgetown; Howard; Spelman; Morehouse; Clemson; "
    "Auburn; Tulane; LSU; Texas A&M; Baylor University; Rice; Notre Dame; Purdue; Marquette; Michigan State; UC Davis; USC; Cal Poly; "
    "Berkeley; Caltech; BYU; Gonzaga; West Point; Annapolis; the Citadel; Oxford; Cambridge; McGill; IIT Bombay; Juilliard; "
    "Phillips Exeter; Boston Latin; Fenway Park; Gillette Stadium; Disneyland; Mohegan Sun; Foxwoods; the Globe; the Times"
).split("; ")
MORE_HOSPITALS = (
    "Massachusetts General; the General; the Brigham; Brigham; BID Needham; Beth Israel Deaconess; Boston City Hospital; Carney; "
    "Faulkner; Mount Auburn; Emerson Hospital; Winchester Hospital; Norwood Hospital; South Shore Hospital; Milton Hospital; "
    "Holy Family; Lawrence General; Lowell General; North Shore Medical Center; Salem Hospital; Cape Cod Hospital; St. Luke's; "
    "St. Vincent's; Baystate; Cooley Dickinson; Berkshire Medical Center; Saints Memorial; New England Baptist; "
    "New England Sinai; Braintree Rehab; Youville; Kindred; Hebrew Rehab; Hebrew SeniorLife; McLean; Cambridge City Hospital; "
    "Cambridge Health Alliance; CHA; MAH; NWH; BMC; TMC; NEMC; DFCI; MEEI; SEH; LGH; Hasbro; Rhode Island Hospital; Kent Hospital; "
    "Dartmouth-Hitchcock; Elliot Hospital; Catholic Medical Center; Exeter Hospital; Portsmouth Regional; Concord Hospital; "
    "Fletcher Allen; Bridgton Hospital; Eastern Maine; Mercy Hospital; Danbury Hospital; Bridgeport Hospital; St. Raphael's; "
    "Columbia-Presbyterian; New York-Presbyterian; Weill Cornell; Lenox Hill; Beth Israel NY; Kings County; Jacobi; Elmhurst; "
    "Maimonides; Winthrop; North Shore LIJ; Stony Brook; Albany Med; Strong Memorial; Roswell Park; Upstate; RWJ; Hackensack; "
    "Cooper; CHOP; HUP; Temple; Jefferson; Lehigh Valley; Allegheny General; Children's Pittsburgh; Christiana; Hopkins; JHH; "
    "Hopkins Bayview; Sinai Baltimore; Georgetown; GW; Washington Hospital Center; Walter Reed; Bethesda Naval; Inova Fairfax; UVA; "
    "MCV; Carilion; UNC; Wake Forest; Carolinas Medical Center; MUSC; Grady; Piedmont; Shands; Jackson Memorial; Tampa General; "
    "Moffitt; UAB; Vandy; St. Jude; Le Bonheur; Methodist; Baptist; Norton; UC Health; Cincinnati Children's; OSU; MetroHealth; "
    "University Hospitals; Henry Ford; Beaumont; Spectrum; U of M; IU Health; Methodist Indianapolis; Rush; Loyola; "
    "Cook County; Lurie; Advocate; UW Health; Froedtert; Hennepin; HCMC; Abbott Northwestern; Regions; Sanford; "
    "Nebraska Med; KU; Barnes; BJC; SLU; Mercy St. Louis; UAMS; Oklahoma Heart; Parkland; UT Southwestern; Baylor Scott & White; "
    "Methodist Houston; Memorial Hermann; Ben Taub; Texas Children's; MDACC; Brooke Army; UNM; Banner; Mayo Scottsdale; Barrow; "
    "Denver Health; National Jewish; UCHealth; Primary Children's; LDS Hospital; Huntsman; St. Alphonsus; Harborview; UW; "
    "Fred Hutch; Seattle Children's; OHSU; Legacy Emanuel; Kaiser; Alta Bates; SF General; Zuckerberg; CPMC; Sutter; "
    "Lucile Packard; Valley Med; Cedars; LA County; Harbor-UCLA; City of Hope; Loma Linda; Hoag; Rady; Scripps Mercy; Queens; "
    "Tripler; St. Thomas'; Guy's; King's College Hospital; the Royal Free; the Royal Marsden; Addenbrooke's; the John Radcliffe; "
    "Great Ormond Street; Barts; St. Mary's; the Mater; Beaumont Dublin; St. James's; Toronto General; SickKids; Sunnybrook; "
    "Montreal General; Royal Victoria; Foothills; VGH; Royal Melbourne; Westmead; Groote Schuur; AIIMS; CMC Vellore; Apollo; Fortis; "
    "Aga Khan; PGH; Charite; Karolinska; Rigshospitalet; Spaulding Cambridge; Encompass; HealthSouth; Select Specialty; Shriners; "
    "West Roxbury VA; Jamaica Plain VA; the JP VA; Bedford VA; Togus; VA Boston; Hines; Soldiers' Home; Planned Parenthood; "
    "Fenway Health; Dimock; Joslin; Schepens; Quest; LabCorp; Steward; Atrius; Harvard Vanguard; HVMA; Optum; MinuteClinic; "
    "Visiting Nurses; Caritas; Gentiva; Amedisys; Apria; Lincare; DaVita; Fresenius; Genesis; Brookdale; ManorCare; Golden Living"
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
MORE_SCHOOLS = (
    "{town} High", "{last} Middle School", "St. {saint} School", "St. {saint}'s Academy", "{last} Prep", "{state} Tech",
    "{town} Grammar School", "{last} Primary School", "{tree} Montessori", "University of {town}", "{town} Technical College",
    "{last} University", "{last} College", "{town} Vocational", "{town} Head Start", "{last} Day School", "{compound} High School",
    "{compound} Elementary School", "{town} Regional High School", "{last} Academy", "{tree} {geo} School", "UMass {town}", "{faith} Academy",
    "{last} Law School", "{town} School for the Deaf", "{town} Charter School", "{compound} Preschool", "{last} Institute of Technology",
    "{town} University", "{state} College of Pharmacy", "{company}",
)  # fmt: skip
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
            schools = SCHOOLS if self._part != TRAIN else (*SCHOOLS, *MORE_SCHOOLS)
            return self._named(draw.choice(schools if kind == "school" else ORGS[self._part])), "ORGANIZATION"
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
        if kind in ("state", "country"):
            return self._land(kind), "LOCATION"
        if kind == "place1":
            return draw.choice(
                (draw.choice(COUNTRIES), f"{self._town()} County", draw.choice(list(STATES.values())))
            ), "LOCATION"
        if kind == "place" and draw.random() < 0.3:
            return self._named(draw.choice(HOMES[self._part])), "HOSPITAL"
        if kind == "place" and draw.random() < 0.4:
            return self._street(""), "ADDRESS"
        return self._town(), "LOCATION"

    def _land(self, kind: str) -> str:
        draw, more = self._draw, REGIONS if kind == "state" else MORE_COUNTRIES
        if self._part == TRAIN and draw.random() < (0.25 if kind == "state" else 0.6):
            return draw.choice(more)
        return draw.choice(list(STATES.values()) if kind == "state" else COUNTRIES)

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
        if self._part == TRAIN and draw.random() < 0.15:
            return draw.choice(MORE_TOWNS)
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
        companies, hospitals = COMPANIES, REAL_HOSPITALS
        if self._part == TRAIN:
            companies, hospitals = COMPANIES + MORE_COMPANIES, REAL_HOSPITALS + MORE_HOSPITALS
        return form.format(
            compound=self._compound(), trade=self._draw.choice(TRADES), company=self._draw.choice(companies), real=self._draw.choice(hospitals),
            town=self._town(), last=last, last2=self._last(), saint=self._draw.choice(SAINTS), tree=self._draw.choice(numbers.TREES),
            geo=self._draw.choice(GEOGRAPHY), faith=self._draw.choice(FAITHS), state=self._draw.choice(list(STATES.values())), initials=initials,
            coined=_coined(self._draw, self._part),
        )  # fmt: skip
